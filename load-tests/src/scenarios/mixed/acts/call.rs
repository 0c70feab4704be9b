//! What an act says that it sends, and whether it does.

use anyhow::bail;
use serde_json::Value;

/// A call as in the reference (`POST /rooms`), or the type of a frame, and the fields that an act sends with it.
#[derive(Debug)]
pub struct Call {
    pub name: &'static str,
    /// In the body or in the question, a space between them. Of an enumeration each value (`kind=group`), of an object
    /// each field (`device.id`).
    pub fields: &'static str,
}

impl Call {
    /// Which of its fields are in this body; one that is not among them is an error.
    pub fn filled(&self, body: &Value) -> anyhow::Result<Vec<&'static str>> {
        let mut filled = Vec::new();
        for (field, value) in body.as_object().into_iter().flatten() {
            self.fill(field, value, &mut filled)?;
        }
        Ok(filled)
    }

    fn fill(&self, field: &str, value: &Value, filled: &mut Vec<&'static str>) -> anyhow::Result<()> {
        let declared = |wanted: &str| self.fields.split_whitespace().find(|declared| *declared == wanted);
        let declared = declared(field).or_else(|| declared(&format!("{field}={}", value.as_str()?)));
        match (declared, value) {
            (Some(declared), _) => filled.push(declared),
            (None, Value::Object(parts)) => {
                for (part, value) in parts {
                    self.fill(&format!("{field}.{part}"), value, filled)?;
                }
            }
            (None, _) => bail!("{}: {field} is not among the fields of this act, or this value is not", self.name),
        }
        Ok(())
    }
}

/// What a path asks with, as fields without values.
pub fn question(path: &str) -> Value {
    let (_, question) = path.split_once('?').unwrap_or_default();
    let names = question.split('&').filter_map(|pair| Some(pair.split_once('=')?.0));
    Value::Object(names.map(|name| (name.to_owned(), Value::Null)).collect())
}
