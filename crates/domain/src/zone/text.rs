//! What the types with a fixed form of text share.

/// A number of exactly so many ASCII digits.
pub(super) fn digits(text: &str, count: usize) -> Option<u16> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Enough of a wrong text to recognise it, and no more.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}

/// For a type with `FromStr` and `Display`: the conversions that serde asks for, and `Debug` in the same form.
macro_rules! text_form {
    ($name:ident, $error:ident) => {
        impl TryFrom<String> for $name {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}
pub(super) use text_form;
