//! How much the test does.

use tests::lives::Size;

/// Rectifications when nobody says otherwise: what two cores and services built for development live through in some three
/// minutes. The full number is 2,000: `DUDAO_FAULTS=2000`.
const RECTIFICATIONS: usize = 400;
/// The seed when nobody says otherwise.
const SEED: u64 = 20_260_210;

/// `DUDAO_FAULTS=<rectifications>` or `DUDAO_FAULTS=<rectifications>,<seed>`; anything missing is the constant above.
#[expect(clippy::disallowed_methods, reason = "the one place where this test reads its environment")]
pub fn read() -> Size {
    let text = std::env::var("DUDAO_FAULTS").unwrap_or_default();
    let mut parts = text.split(',').map(str::trim);
    let mut number = || parts.next().filter(|part| !part.is_empty()).map(|part| part.parse::<u64>().unwrap());
    let rectifications = number().map_or(RECTIFICATIONS, |n| usize::try_from(n).unwrap());
    Size { rectifications, seed: number().unwrap_or(SEED) }
}
