//! What a name may look like: full names, room and space names, topics, status messages, names of devices, and what is
//! searched for in them. Pure.
//!
//! Unicode has characters that nobody sees: format controls, zero-width spaces, fillers, blanks that are no spaces, and
//! marks that reverse the direction of what follows. In a name they make two people look alike, nobody look like
//! somebody, or a name run backwards over the text beside it. They mostly come from a clipboard, not from malice, so they
//! are left out and the rest is judged; only what can be no part of one line (control characters, line breaks) is for
//! the caller to refuse.
//!
//! Some of them belong to how people write and stay where they do: joiners that change how the letters beside them are
//! drawn in Persian, Bengali, Malayalam or Sinhala; those that make one emoji of several; variants of ideographs in
//! Japanese names; the tags in the flags of England, Scotland and Wales.
//!
//! Invariants: [`line()`] of its own result is the same; the result is in NFC, begins and ends with something that is seen,
//! and is empty when nothing is. Which characters are which is asked of ICU's data, never of a table here.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{
    CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji, EmojiModifier, ExtendedPictographic, GeneralCategory,
    GeneralCategoryGroup, Ideographic, JoiningType, NoncharacterCodePoint, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};

const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';
const BLACK_FLAG: char = '\u{1f3f4}';
const CANCEL_TAG: char = '\u{e007f}';
const KEYCAP: char = '\u{20e3}';

/// The text cannot be one line: it holds a control character or a line break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text holds a control character or a line break")]
pub struct NotOneLine;

/// One text for all ways to write it down: what is stored, compared and hashed is in Normalization Form C.
pub fn nfc(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// The text as people see it, trimmed; empty when they see nothing.
pub fn line(text: &str) -> Result<String, NotOneLine> {
    if text.chars().any(breaks_the_line) {
        return Err(NotOneLine);
    }
    let seen = nfc(&without_the_unseen(text));
    // A mark alone would be drawn over whatever stands beside the name.
    if !seen.chars().any(is_seen_alone) {
        return Ok(String::new());
    }
    Ok(seen.trim().to_owned())
}

/// What is wrong with a text that a client sent, as the end of a sentence about it.
pub type Wanted = String;

/// A name or topic: [`line()`] of at most `chars_max` characters; empty when people see nothing.
pub fn short_line(text: &str, chars_max: usize) -> Result<String, Wanted> {
    let text = line(text).map_err(|NotOneLine| "must be one line without control characters".to_owned())?;
    if text.chars().count() > chars_max {
        return Err(format!("must be at most {chars_max} characters"));
    }
    Ok(text)
}

/// A client's own id for something that it sends or makes.
pub fn check_client_id(client_id: &str, bytes_max: usize) -> Result<(), Wanted> {
    if client_id.is_empty() || client_id.len() > bytes_max || client_id.chars().any(char::is_control) {
        return Err(format!(
            "must be 1 to {bytes_max} bytes without control characters; a new UUID each time is a good choice"
        ));
    }
    Ok(())
}

fn breaks_the_line(c: char) -> bool {
    use GeneralCategory::{Control, LineSeparator, ParagraphSeparator};
    matches!(category(c), Control | LineSeparator | ParagraphSeparator)
}

fn is_seen_alone(c: char) -> bool {
    let seen = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Number)
        .union(GeneralCategoryGroup::Punctuation)
        .union(GeneralCategoryGroup::Symbol);
    // Newer than our data: some script or emoji of next year.
    let unknown = category(c) == GeneralCategory::Unassigned || category(c) == GeneralCategory::PrivateUse;
    (seen.contains(category(c)) || unknown) && !is_unseen(c) && !is_blank(c)
}

/// Signs whose picture is empty: a Braille cell without dots, a note without a head, blank hieroglyphs.
fn is_blank(c: char) -> bool {
    matches!(c, '\u{2800}' | '\u{13441}' | '\u{13442}' | '\u{1d159}')
}

/// Drawn as nothing wherever it stands; the last are no characters, and the anchors of annotations, which no plain text has.
fn is_unseen(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || CodePointSetData::new::<NoncharacterCodePoint>().contains(c)
        || matches!(c, '\u{fff9}'..='\u{fffc}')
}

fn without_the_unseen(text: &str) -> String {
    let typed: Vec<char> = text.chars().collect();
    let next_letters = next_letters(&typed);
    let mut before = Before::default();
    let mut at = 0;
    while let Some(&c) = typed.get(at) {
        let after = &typed[at + 1..];
        if is_blank(c) {
            before.keep(' ');
        } else if !is_unseen(c) || belongs(c, &before, after, next_letters[at]) {
            before.keep(c);
        }
        at += 1;
        if c == BLACK_FLAG {
            let tags = flag_tags(after);
            after[..tags].iter().for_each(|tag| before.keep(*tag));
            at += tags;
        }
    }
    before.kept
}

/// What has been kept, and what of it the next character may depend on: looked up once, so that no text takes longer
/// than its length.
#[derive(Default)]
struct Before {
    kept: String,
    last: Option<char>,
    /// The last that marks stand on, and whether one of those is a virama: whichever of them was typed first, NFC gives
    /// them one order.
    base: Option<char>,
    has_virama: bool,
    /// The last but for marks that stand between letters without parting them.
    letter: Option<char>,
    /// The last but for what colours or chooses a picture.
    picture: Option<char>,
}

impl Before {
    fn keep(&mut self, c: char) {
        self.kept.push(c);
        self.last = Some(c);
        match combining(c) {
            CanonicalCombiningClass::NotReordered => (self.base, self.has_virama) = (Some(c), false),
            class => self.has_virama |= class == CanonicalCombiningClass::Virama,
        }
        if joining(c) != JoiningType::Transparent {
            self.letter = Some(c);
        }
        if !matches!(c, '\u{fe0e}' | '\u{fe0f}') && !is_emoji_modifier(c) {
            self.picture = Some(c);
        }
    }
}

/// For each character the next one that joins or parts letters.
fn next_letters(typed: &[char]) -> Vec<Option<char>> {
    let mut next = None;
    let mut found: Vec<Option<char>> = Vec::with_capacity(typed.len());
    for c in typed.iter().rev() {
        found.push(next);
        if !is_unseen(*c) && joining(*c) != JoiningType::Transparent {
            next = Some(*c);
        }
    }
    found.reverse();
    found
}

/// How many of `rest` are the tags of a flag: some letters and digits, and the tag that ends it.
fn flag_tags(rest: &[char]) -> usize {
    let is_letter = |c: &&char| matches!(**c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    // A region and its part: "gbeng". No registered one is longer than six.
    let letters = rest.iter().take(7).take_while(is_letter).count();
    if (3..=6).contains(&letters) && rest.get(letters) == Some(&CANCEL_TAG) { letters + 1 } else { 0 }
}

/// Whether a character that is not seen changes what is seen between what stands before it and what comes after.
fn belongs(c: char, before: &Before, after: &[char], next_letter: Option<char>) -> bool {
    let follows = |rule: fn(char) -> bool| before.last.is_some_and(rule);
    match c {
        ZWJ => joins_conjunct(before, after) || joins_pictures(before, after) || joins_letters(c, before, next_letter),
        ZWNJ => before.has_virama || joins_letters(c, before, next_letter),
        '\u{fe0e}' | '\u{fe0f}' => {
            follows(is_emoji) && (!follows(|last| last.is_ascii()) || after.first() == Some(&KEYCAP))
        }
        '\u{fe00}'..='\u{fe0d}' | '\u{e0100}'..='\u{e01ef}' => follows(has_variants),
        '\u{180b}'..='\u{180f}' => follows(|last| script(last) == Script::Mongolian && !is_unseen(last)),
        _ => false,
    }
}

/// After a virama, or between a letter and one, a joiner chooses how the conjunct is drawn (Sinhala, Malayalam, Bengali).
fn joins_conjunct(before: &Before, after: &[char]) -> bool {
    let is_virama = |c: &char| combining(*c) == CanonicalCombiningClass::Virama;
    before.has_virama || (before.base.is_some_and(char::is_alphabetic) && after.first().is_some_and(is_virama))
}

/// Two pictures that are drawn as one, such as a family.
fn joins_pictures(before: &Before, after: &[char]) -> bool {
    before.picture.is_some_and(is_picture) && after.first().copied().is_some_and(is_picture)
}

/// Letters of a joined script: a non-joiner matters where the two would be joined, a joiner where they would not be.
fn joins_letters(c: char, before: &Before, next: Option<char>) -> bool {
    let joins_on = |c| matches!(joining(c), JoiningType::DualJoining | JoiningType::LeftJoining);
    let joins_back = |c| matches!(joining(c), JoiningType::DualJoining | JoiningType::RightJoining);
    let (on, back) = (before.letter.is_some_and(joins_on), next.is_some_and(joins_back));
    if c == ZWNJ { on && back } else { on != back }
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn script(c: char) -> Script {
    CodePointMapData::<Script>::new().get(c)
}

fn joining(c: char) -> JoiningType {
    CodePointMapData::<JoiningType>::new().get(c)
}

fn combining(c: char) -> CanonicalCombiningClass {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c)
}

/// Ideographs, of which Japanese names choose one, and letters of Burma.
fn has_variants(c: char) -> bool {
    CodePointSetData::new::<Ideographic>().contains(c) || script(c) == Script::Myanmar
}

fn is_emoji(c: char) -> bool {
    CodePointSetData::new::<Emoji>().contains(c)
}

fn is_emoji_modifier(c: char) -> bool {
    CodePointSetData::new::<EmojiModifier>().contains(c)
}

fn is_picture(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_nobody_sees_is_left_out() {
        for unseen in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180b}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{202a}',
            '\u{202d}',
            '\u{202e}',
            '\u{2060}',
            '\u{2064}',
            '\u{2066}',
            '\u{2069}',
            '\u{206f}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e007f}',
            '\u{e0100}',
        ] {
            let inside = format!("{unseen}A{unseen}da{unseen}{unseen} L{unseen}");
            assert_eq!(line(&inside).unwrap(), "Ada L", "U+{:04X}", u32::from(unseen));
            assert_eq!(line(&format!(" {unseen} ")).unwrap(), "", "U+{:04X} alone", u32::from(unseen));
        }
    }

    #[test]
    fn a_blank_is_a_space_and_no_name() {
        for blank in ['\u{2800}', '\u{13441}', '\u{13442}', '\u{1d159}', '\u{a0}', '\u{3000}', '\u{2003}', '\u{1680}'] {
            assert_eq!(line(&format!("{blank}{blank}")).unwrap(), "", "U+{:04X}", u32::from(blank));
            let inside = line(&format!("{blank}Ada{blank}L{blank}")).unwrap();
            assert!(inside.starts_with("Ada") && inside.ends_with('L') && inside.chars().count() == 5, "{inside:?}");
        }
        assert_eq!(line("Ada\u{2800}L").unwrap(), "Ada L");
    }

    #[test]
    fn marks_alone_are_no_name() {
        assert_eq!(line("\u{301}").unwrap(), "");
        assert_eq!(line(" \u{20e3}\u{fe0f} ").unwrap(), "");
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for bad in ["a\0b", "a\nb", "a\rb", "a\tb", "a\u{7f}b", "a\u{85}b", "a\u{9b}b", "a\u{2028}b", "a\u{2029}b"] {
            assert_eq!(line(bad), Err(NotOneLine), "{bad:?}");
        }
    }

    #[test]
    fn names_of_real_people_and_places_stay_as_they_are() {
        for name in [
            "Ada Lovelace",
            "José Ñandú",
            "Nguyễn Thị Minh Khai",
            "О́льга Ивановна",
            "山田　太郎",
            "葛\u{e0100}城",
            "渡邉\u{e010f}",
            "김민준",
            "محمد علی",
            "می\u{200c}خواهم",
            "ه\u{200d}",
            "علی\u{200c}رضا",
            "রহমান র\u{200d}্যাব",
            "ශ්\u{200d}රී ලංකා",
            "ക്\u{200d}ഷ അവന്\u{200d}",
            "क्\u{200d}ष राष्\u{200c}ट्र",
            "ක්\u{200d}ෂ",
            "ຊື່ລາວ",
            "ဗမာ",
            "ᠮᠣᠩᠭᠣᠯ ᠠ\u{180b}",
            "שָׁלוֹם",
            "O\u{2019}Brien & Söhne (2)",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} England",
            "👩\u{200d}👩\u{200d}👧\u{200d}👦",
            "👩🏽\u{200d}🚀",
            "❤\u{fe0f}\u{200d}🔥",
            "🏳\u{fe0f}\u{200d}🌈",
            "🏴\u{200d}☠\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "©\u{fe0f}",
            "🇩🇪",
        ] {
            assert_eq!(line(name).unwrap(), nfc(name), "{name:?}");
        }
    }

    #[test]
    fn what_belongs_somewhere_is_left_out_elsewhere() {
        for (typed, seen) in [
            ("محمد\u{200c}", "محمد"),
            ("در\u{200c}خت", "درخت"),
            ("م\u{200d}ح", "مح"),
            ("می\u{200c}\u{200c}خواهم", "می\u{200c}خواهم"),
            ("a\u{200d}\u{947}", "a\u{947}"),
            ("1\u{fe0f}", "1"),
            ("👍\u{200d}a", "👍a"),
            ("葛\u{e0100}\u{e0101}", "葛\u{e0100}"),
            ("🏴\u{e0067}\u{e0062}\u{e0065}", "🏴"),
            ("🏴\u{e007f}", "🏴"),
            ("😀\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}", "😀"),
        ] {
            assert_eq!(line(typed).unwrap(), seen, "{typed:?}");
        }
    }

    #[test]
    fn one_text_has_one_form() {
        assert_eq!(line("Jose\u{301}").unwrap(), "José");
        assert_eq!(line("Jose\u{200b}\u{301}").unwrap(), "José", "and what kept the two apart is gone");
        assert_eq!(nfc("\u{1112}\u{1161}\u{11ab}"), "한");
        assert_eq!(nfc("\u{212b}"), "Å");
    }

    #[test]
    fn no_text_takes_long() {
        // As large as a request may be: looking back or ahead from each would be thousands of millions of looks.
        for (many, then) in
            [("\u{1f3fb}", "\u{200d}"), ("\u{200d}", "\u{64b}"), ("\u{64b}", "\u{200c}"), ("\u{1f3f4}", "\u{e0061}")]
        {
            let text = format!("\u{628}{}{}\u{628}", many.repeat(60_000), then.repeat(60_000));
            assert!(!line(&text).unwrap().is_empty());
        }
    }

    proptest! {
        #[test]
        fn a_line_stays_as_it_is(text in any::<String>()) {
            if let Ok(once) = line(&text) {
                prop_assert_eq!(line(&once).unwrap(), once.clone());
                prop_assert_eq!(nfc(&once), once.clone());
                prop_assert_eq!(once.trim(), once.as_str());
            }
        }

        #[test]
        fn a_line_of_unseen_characters_stays_as_it_is(text in "[\u{5b0}\u{34f}\u{1b44}\u{200b}-\u{200f}\u{ad}a1\u{627}\u{628}\u{94d}\u{915}\u{fe0f}\u{20e3}\u{1f600}\u{1f3f4}\u{e0067}\u{e007f}\u{301}\u{2800} ]{0,12}") {
            let once = line(&text).unwrap();
            prop_assert_eq!(line(&once).unwrap(), once.clone());
        }
    }
}
