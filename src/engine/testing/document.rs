//! A published document whose schemas are held to what is really said.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use jsonschema::Validator;
use serde_json::{Value, json};

/// OpenAPI or AsyncAPI: both keep their schemas under `components`.
pub struct Document {
    pub whole: Value,
    /// By what each was made of: making one takes far longer than holding a value to it.
    validators: RefCell<HashMap<String, Rc<Validator>>>,
}

impl Document {
    pub fn of(text: &str) -> Self {
        Self { whole: serde_json::from_str(text).unwrap(), validators: RefCell::default() }
    }

    /// What is wrong with a value by a schema of the document, where an object may have no fields that the schema does not
    /// name.
    pub fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let validator = self.validator(&format!("strict {schema}"), || {
            jsonschema::options().should_validate_formats(true).build(&self.strict(schema)).unwrap()
        });
        faults(&validator, value)
    }

    /// The same by the schema of this name as it is published.
    pub fn faults_by_name(&self, name: &str, value: &Value) -> Vec<String> {
        let reference = format!("#/components/schemas/{name}");
        let validator = self.validator(&reference, || {
            let schema = json!({ "$ref": reference, "components": self.whole["components"] });
            jsonschema::validator_for(&schema).unwrap()
        });
        faults(&validator, value)
    }

    fn validator(&self, made_of: &str, make: impl FnOnce() -> Validator) -> Rc<Validator> {
        let known = self.validators.borrow().get(made_of).cloned();
        known.unwrap_or_else(|| {
            let made = Rc::new(make());
            self.validators.borrow_mut().insert(made_of.to_owned(), Rc::clone(&made));
            made
        })
    }

    /// Where a reference leads.
    pub fn followed<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value["$ref"].as_str().and_then(|reference| self.whole.pointer(reference.trim_start_matches('#')));
        target.map_or(value, |target| self.followed(target))
    }

    /// The schema with its references filled in, where an object has the properties that it names and no others.
    fn strict(&self, schema: &Value) -> Value {
        match self.followed(schema) {
            Value::Object(fields) => {
                let mut whole = fields.clone();
                for part in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                    let part = self.followed(part);
                    whole.remove("allOf");
                    merge(&mut whole, part);
                }
                // An example is a value, not a schema.
                whole.retain(|key, _| !["example", "default"].contains(&key.as_str()));
                let mut strict: serde_json::Map<String, Value> =
                    whole.into_iter().map(|(key, value)| (key, self.strict(&value))).collect();
                if strict.get("properties").is_some_and(Value::is_object) {
                    strict.insert("additionalProperties".into(), json!(false));
                }
                Value::Object(strict)
            }
            Value::Array(items) => Value::Array(items.iter().map(|item| self.strict(item)).collect()),
            other => other.clone(),
        }
    }
}

fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

/// Adds the properties of one part of an `allOf` to the whole.
fn merge(whole: &mut serde_json::Map<String, Value>, part: &Value) {
    for (key, value) in part.as_object().into_iter().flatten() {
        match (whole.get_mut(key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more.clone()),
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more.clone()),
            _ => drop(whole.insert(key.clone(), value.clone())),
        }
    }
}
