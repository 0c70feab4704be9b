//! Enums that stand as words in Postgres and on the wire.

macro_rules! text_enum {
    ($type:ty { $($variant:path => $text:literal),+ $(,)? }) => {
        impl $type {
            /// As it stands in Postgres and on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $($variant => $text),+ }
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok($variant),)+
                    other => Err(format!("{other:?} is none of {:?}", [$($text),+])),
                }
            }
        }
    };
}

pub(crate) use text_enum;
