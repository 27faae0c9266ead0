//! Codes with rules of their own, parsed once at the edge (domain.md m.1 to m.3).
//!
//! [`DivisionCode`] (行政区划代码, GB/T 2260), [`SchoolCode`] (学校标识码) and [`CreditCode`]
//! (统一社会信用代码, GB 32100-2015). A value of these types has the right form; what it names may
//! still be unknown to the register. Codes change (Yangpu, mergers), so they are attributes with
//! dates and never primary keys.
//!
//! All three forgive what spreadsheets do to codes: blanks around them, full-width characters,
//! lower case. Everything else is a [`CodeError`] that says what is wrong, at which character, and
//! the remedy, in Chinese and in English.

mod credit;
mod division;
mod error;
mod school;
mod text;

pub use credit::{
    AcceptedCreditCode, CheckFault, CheckState, CreditCode, Mismatch, Registrar, credit_check_character,
    organisation_check_character,
};
pub use division::{DivisionCode, DivisionShape};
pub use error::{CodeError, CodeKind};
pub use school::{SchoolCode, SchoolKind};
