//! Reading an engine's `/metrics`.

use std::collections::HashMap;

use anyhow::Context;

/// One reading: every series by its full name, labels and all.
#[derive(Clone, Debug, Default)]
pub struct Scrape(HashMap<String, f64>);

impl Scrape {
    pub async fn from(base: &str) -> anyhow::Result<Self> {
        let url = format!("{base}/metrics");
        let answer = super::http_client()?.get(&url).send().await.with_context(|| url.clone())?;
        // A page that is not there is no page on which every count is 0.
        let text = answer.error_for_status().context("the engine's metrics are needed")?.text().await?;
        Ok(Self::parse(&text))
    }

    /// The same, of an engine that may have no metrics.
    pub async fn of(base: Option<&str>) -> anyhow::Result<Option<Self>> {
        match base {
            Some(base) => Ok(Some(Self::from(base).await?)),
            None => Ok(None),
        }
    }

    /// The Prometheus text format: `name{labels} value`, comments after `#`.
    fn parse(text: &str) -> Self {
        let series = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(series.collect())
    }

    /// A series that has no labels.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// The sum of all series of this name, whatever their labels; 0 when there is none yet.
    pub fn sum(&self, name: &str) -> f64 {
        let is_it =
            |series: &str| series.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'));
        self.0.iter().filter(|(series, _)| is_it(series)).map(|(_, value)| value).sum()
    }

    /// How much a counter has grown since `before`.
    pub fn growth(&self, before: &Self, name: &str) -> f64 {
        self.sum(name) - before.sum(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_add_up_by_name() {
        let scrape = Scrape::parse("# TYPE a counter\na 2\na{x=\"1\"} 3\nab 5\nb{k=\"hello\"} 7\nbroken\n");
        assert_eq!([scrape.sum("a"), scrape.sum("ab"), scrape.sum("none")], [5.0, 5.0, 0.0]);
    }
}
