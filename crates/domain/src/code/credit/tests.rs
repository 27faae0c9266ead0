//! The vectors of domain.md m.3 and the promises of the check characters.

use proptest::prelude::*;

use super::*;

const VALID: [&str; 6] = [
    "91350200MA2YJ1XR9G",
    "123502001549897397",
    "91440101MA5CJQ4N59",
    "1246000042800001XA",
    "52460100MJY00001XM",
    "11469026008200015U",
];

fn failed(text: &str) -> CheckFault {
    match CreditCode::parse(text).unwrap().check() {
        CheckState::Passed => panic!("{text} passed"),
        CheckState::Failed(fault) => fault,
    }
}

#[test]
fn the_valid_vectors_pass_both_checks() {
    for text in VALID {
        let code = CreditCode::parse(text).unwrap();
        assert_eq!(code.check(), CheckState::Passed, "{text}");
        assert_eq!(code.to_string(), text);
        assert_eq!(text.parse(), Ok(code.clone()));
        let accepted = code.clone().accept(None).unwrap();
        assert_eq!((accepted.code, accepted.override_reason), (code, None));
    }
}

#[test]
fn the_code_in_real_use_that_fails_is_a_warning_and_needs_a_reason() {
    let text = "91350203M0001QAY9B";
    let fault = failed(text);
    assert_eq!(fault.organisation, None);
    assert_eq!(fault.total.unwrap().found, 'B');
    let code = CreditCode::parse(text).unwrap();
    for blank in [None, Some(" ")] {
        assert_eq!(code.clone().accept(blank), Err(CodeError::CheckNeedsReason { fault }));
    }
    let accepted = code.accept(Some(" 证件原件如此 ")).unwrap();
    assert_eq!(accepted.override_reason.as_deref(), Some("证件原件如此"));
}

#[test]
fn both_checks_are_reported_with_place_and_remedy() {
    // The first character of the organisation code is changed.
    let fault = failed("91350200NA2YJ1XR9G");
    assert!(fault.organisation.is_some() && fault.total.is_some());
    assert!(fault.zh().contains("第17位") && fault.zh().contains("第18位"));
    assert!(fault.en().contains("character 17") && fault.en().contains("certificate"));
}

#[test]
fn the_first_character_names_the_registering_department() {
    let registrar = |text: &str| CreditCode::parse(text).unwrap().registrar();
    assert_eq!(registrar("1246000042800001XA"), Registrar::StaffingOffice);
    assert_eq!(registrar("52460100MJY00001XM"), Registrar::CivilAffairs);
    assert_eq!(registrar("91350200MA2YJ1XR9G"), Registrar::MarketRegulation);
}

#[test]
fn codes_are_composed_with_their_check_characters() {
    let code = |department, kind, division: &str, organisation| {
        CreditCode::compose(department, kind, division.parse().unwrap(), organisation).unwrap().to_string()
    };
    assert_eq!(code('1', '2', "460000", "42800001"), "1246000042800001XA");
    assert_eq!(code('5', '2', "460100", "MJY00001"), "52460100MJY00001XM");
    assert_eq!(code('1', '1', "469026", "00820001"), "11469026008200015U");
}

#[test]
fn each_fault_says_where_and_what_to_do() {
    let kind = CodeKind::Credit;
    for (text, error) in [
        ("\u{3000}", CodeError::Empty { kind }),
        ("1246000042800001X", CodeError::Length { kind, found: 17 }),
        ("124600004280O001XA", CodeError::NotInAlphabet { kind, position: 13, found: 'O' }),
        ("12460A0042800001XA", CodeError::NotADigit { kind, position: 6, found: 'A' }),
    ] {
        assert_eq!(CreditCode::parse(text), Err(error), "{text}");
    }
    let error = CreditCode::parse("124600004280O001XA").unwrap_err();
    assert!(error.zh().contains("第13位“O”") && error.zh().contains("是否应为“0”"));
    assert!(error.en().contains("check whether '0' is meant"));
}

#[test]
fn lower_case_and_full_width_are_forgiven() {
    let code = CreditCode::parse(" 1246000042800001xａ ").unwrap();
    assert_eq!(code.as_str(), "1246000042800001XA");
    assert_eq!(code.check(), CheckState::Passed);
}

fn any_code() -> impl Strategy<Value = CreditCode> {
    ("[159Y]", "[1-9]", "[0-9]{6}", "[0-9A-HJ-NPQRTUWXY]{8}").prop_map(|(department, kind, division, organisation)| {
        let check = organisation_check_character(&organisation).unwrap();
        let body = format!("{department}{kind}{division}{organisation}{check}");
        let check = credit_check_character(&body).unwrap();
        CreditCode::parse(&format!("{body}{check}")).unwrap()
    })
}

proptest! {
    /// 31 is a prime and no weight is a multiple of it: a single wrong character is always found,
    /// unless the change already breaks the form (a letter among the division's digits).
    #[test]
    fn any_one_wrong_character_is_found(
        code in any_code(), place in 0usize..18, other in 0usize..31,
    ) {
        prop_assert_eq!(code.check(), CheckState::Passed);
        let mut characters: Vec<char> = code.as_str().chars().collect();
        let other = ALPHABET.chars().nth(other).unwrap();
        prop_assume!(characters[place] != other);
        characters[place] = other;
        let changed: String = characters.into_iter().collect();
        match CreditCode::parse(&changed) {
            Ok(changed) => prop_assert_ne!(changed.check(), CheckState::Passed),
            Err(error) => prop_assert_eq!(
                error,
                CodeError::NotADigit { kind: CodeKind::Credit, position: place + 1, found: other }
            ),
        }
    }

    /// Neighbouring weights differ by a factor that is not 1 mod 31: two swapped neighbours are
    /// always found.
    #[test]
    fn two_swapped_neighbours_are_found(code in any_code(), place in 0usize..17) {
        let mut characters: Vec<char> = code.as_str().chars().collect();
        prop_assume!(characters[place] != characters[place + 1]);
        characters.swap(place, place + 1);
        let changed: String = characters.into_iter().collect();
        if let Ok(changed) = CreditCode::parse(&changed) {
            prop_assert_ne!(changed.check(), CheckState::Passed);
        }
    }

    /// The organisation check works modulo 11 on values up to 35, so it misses a letter exchanged
    /// for one a multiple of eleven away; a digit exchanged for a digit it always finds.
    #[test]
    fn the_organisation_check_finds_any_one_wrong_digit(
        digits in "[0-9]{8}", place in 0usize..8, other in 0u32..10,
    ) {
        let mut characters: Vec<char> = digits.chars().collect();
        let other = char::from_digit(other, 10).unwrap();
        prop_assume!(characters[place] != other);
        characters[place] = other;
        let changed: String = characters.into_iter().collect();
        prop_assert_ne!(
            organisation_check_character(&digits).unwrap(),
            organisation_check_character(&changed).unwrap()
        );
    }

    #[test]
    fn json_is_the_text(code in any_code()) {
        let json = serde_json::to_string(&code).unwrap();
        prop_assert_eq!(&json, &format!("\"{}\"", code.as_str()));
        prop_assert_eq!(serde_json::from_str::<CreditCode>(&json).unwrap(), code);
    }

    #[test]
    fn any_text_is_a_code_or_a_fault_with_both_texts(text in "\\PC{0,24}") {
        if let Err(error) = CreditCode::parse(&text) {
            prop_assert!(!error.zh().is_empty() && !error.en().is_empty());
        }
    }
}
