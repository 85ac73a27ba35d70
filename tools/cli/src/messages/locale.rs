//! The language of a user, by the rules of POSIX and gettext.

/// The texts in simplified Chinese.
pub const ZH_CN: &str = include_str!("zh_CN.po");

/// Chooses the texts for a user; `None` is English, which stands in the code. `variable` gives the environment, and `system` the
/// languages that the system names, the best one first.
///
/// The first of LC_ALL, LC_MESSAGES and LANG that is not empty counts. Where it is not C or POSIX, LANGUAGE may name several
/// languages in its place, the best one first.
pub fn choose(
    variable: impl Fn(&str) -> Option<String>,
    system: impl FnOnce() -> Vec<String>,
) -> Option<&'static str> {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set);
    if locale.as_deref().is_some_and(is_english_only) {
        return None;
    }
    let wanted = match (locale, set(&"LANGUAGE")) {
        (Some(_), Some(list)) => list.split(':').map(str::to_owned).collect(),
        (Some(locale), None) => vec![locale],
        (None, _) => system(),
    };
    wanted.iter().find_map(|tag| texts(tag)).flatten()
}

/// Whether a locale is that of programs, or has another charset than UTF-8, in which Chinese cannot be written.
fn is_english_only(locale: &str) -> bool {
    let name = locale.split('@').next().unwrap_or_default();
    let (name, charset) = name.split_once('.').unwrap_or((name, "UTF-8"));
    let is_utf8 = ["utf-8", "utf8"].contains(&&*charset.to_ascii_lowercase());
    matches!(name, "C" | "POSIX") || !is_utf8
}

/// Gives the texts for a language such as `zh_CN.UTF-8` or `zh-Hans-CN`: `Some(None)` for English, and `None` where there are
/// none. There are none in traditional Chinese, whose readers have words of their own.
fn texts(tag: &str) -> Option<Option<&'static str>> {
    let tag = tag.split(['.', '@']).next()?.to_ascii_lowercase();
    let mut parts = tag.split(['-', '_']);
    match parts.next()? {
        "en" | "c" | "posix" => Some(None),
        "zh" if !parts.any(|part| matches!(part, "hant" | "tw" | "hk" | "mo")) => Some(Some(ZH_CN)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the texts are Chinese in this environment: `NAME=VALUE`, with blanks between them.
    fn is_chinese(environment: &str, system: &[&str]) -> bool {
        let variable = |name: &str| {
            let mut pairs = environment.split(' ').filter_map(|it| it.split_once('='));
            pairs.find(|it| it.0 == name).map(|it| it.1.to_owned())
        };
        let system = || system.iter().map(|it| (*it).to_owned()).collect();
        choose(variable, system).is_some()
    }

    #[test]
    fn the_first_variable_that_is_set_counts() {
        for (environment, chinese) in [
            ("", false),
            ("LANG=zh_CN.UTF-8", true),
            ("LANG=zh_CN", true),
            ("LANG=zh", true),
            ("LANG=zh_SG.utf8", true),
            ("LANG=zh_CN.UTF-8@pinyin", true),
            ("LANG=zh_CN.UTF-8 LC_MESSAGES=en_US.UTF-8", false),
            ("LANG=en_US.UTF-8 LC_MESSAGES=zh_CN.UTF-8", true),
            ("LANG=en_US.UTF-8 LC_MESSAGES= LC_ALL=zh_CN.UTF-8", true),
            ("LANG=zh_CN.UTF-8 LC_MESSAGES=zh_CN.UTF-8 LC_ALL=C", false),
            ("LANG=zh_CN.UTF-8 LC_ALL=C.UTF-8", false),
            ("LANG=zh_CN.UTF-8 LC_ALL=POSIX", false),
            ("LANG=zh_CN.UTF-8 LC_ALL=", true),
            ("LC_CTYPE=zh_CN.UTF-8", false),
        ] {
            assert_eq!(is_chinese(environment, &[]), chinese, "{environment}");
        }
    }

    #[test]
    fn a_list_of_languages_goes_before_the_locale() {
        for (environment, chinese) in [
            ("LANGUAGE=zh_CN", false),
            ("LANG=C LANGUAGE=zh_CN", false),
            ("LANG=C.UTF-8 LANGUAGE=zh_CN", false),
            ("LANG=en_US.UTF-8 LANGUAGE=zh_CN:en", true),
            ("LANG=zh_CN.UTF-8 LANGUAGE=en:zh_CN", false),
            ("LANG=zh_CN.UTF-8 LANGUAGE=fr:de", false),
            ("LANG=de_DE.UTF-8 LANGUAGE=de:zh", true),
            ("LANG=zh_TW.UTF-8 LANGUAGE=zh_TW:zh_CN:en", true),
            ("LANG=zh_CN.UTF-8 LANGUAGE=", true),
        ] {
            assert_eq!(is_chinese(environment, &[]), chinese, "{environment}");
        }
    }

    #[test]
    fn readers_of_traditional_chinese_and_other_charsets_get_english() {
        for environment in [
            "LANG=zh_TW.UTF-8",
            "LANG=zh_HK.UTF-8",
            "LANG=zh_MO",
            "LANG=zh_Hant_CN.UTF-8",
            "LANG=zh_CN.GB18030",
            "LANG=zh_CN.GBK LANGUAGE=zh_CN",
        ] {
            assert!(!is_chinese(environment, &[]), "{environment}");
        }
    }

    #[test]
    fn the_systems_languages_count_where_no_locale_is_set() {
        for (system, chinese) in [
            (&["zh-CN"][..], true),
            (&["zh-Hans-CN", "en-US"], true),
            (&["en-US", "zh-CN"], false),
            (&["ug-CN", "zh-CN", "en-US"], true),
            (&["zh-Hant-TW", "zh-TW"], false),
        ] {
            assert_eq!(is_chinese("", system), chinese, "{system:?}");
            assert!(!is_chinese("LC_ALL=C", system), "{system:?}");
        }
        assert!(!is_chinese("LANG=en_US.UTF-8", &["zh-CN"]));
    }
}
