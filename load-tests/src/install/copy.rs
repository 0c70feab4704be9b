//! Rows in the binary format of `COPY` (PostgreSQL's manual, "COPY", "Binary Format").

use uuid::Uuid;

/// Before the first row: the signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0";
/// After the last one.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// From 1970 to 2000, where the times of Postgres begin.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Rows on their way, in the order of the statement's columns.
#[derive(Debug)]
pub struct CopyRows {
    bytes: Vec<u8>,
    columns: i16,
    pub rows: u64,
}

impl CopyRows {
    pub fn new(columns: usize) -> Self {
        Self { bytes: HEADER.to_vec(), columns: i16::try_from(columns).unwrap_or(0), rows: 0 }
    }

    pub fn begin_row(&mut self) {
        self.bytes.extend_from_slice(&self.columns.to_be_bytes());
        self.rows += 1;
    }

    pub fn uuid(&mut self, id: Uuid) -> &mut Self {
        self.field(id.as_bytes())
    }

    pub fn uuid_or_null(&mut self, id: Option<Uuid>) -> &mut Self {
        match id {
            Some(id) => self.uuid(id),
            None => self.null(),
        }
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.field(text.as_bytes())
    }

    pub fn text_or_null(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.field(bytes)
    }

    /// `jsonb`: a version, then the text.
    pub fn json(&mut self, value: &serde_json::Value) -> &mut Self {
        let text = value.to_string();
        self.field(&[&[1], text.as_bytes()].concat())
    }

    pub fn bigint(&mut self, number: u64) -> &mut Self {
        self.field(&i64::try_from(number).unwrap_or(i64::MAX).to_be_bytes())
    }

    /// `timestamptz`, from microseconds since 1970.
    pub fn time(&mut self, micros: i64) -> &mut Self {
        self.field(&(micros - EPOCH_MICROS).to_be_bytes())
    }

    pub fn time_or_null(&mut self, micros: Option<i64>) -> &mut Self {
        match micros {
            Some(micros) => self.time(micros),
            None => self.null(),
        }
    }

    pub fn null(&mut self) -> &mut Self {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        self
    }

    fn field(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(&i32::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What there is so far, to be sent and cleared.
    pub fn take(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub fn finish(&mut self) {
        self.bytes.extend_from_slice(&TRAILER);
    }
}
