//! The workbook: every due date that one unit of work derives, each once.
//!
//! All limits of a storm are counted from one instant by a handful of rules; the same derivation is then made once and shared,
//! and its proof sheet is written once. Nothing else is kept here, and nothing outlives the unit of work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::calendar::Calendar;
use crate::ids::SheetId;
use crate::local_time::local_date;
use crate::period::{CountError, Pause, Period, WorkingDays, count_end, working_days_before};
use crate::proof::{AnchorEvent, AppliedRule, ProofSheet};

/// A proof sheet with its text and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Follows from the text: equal derivations have one name.
    pub sheet_id: SheetId,
    /// The derivation.
    pub proof: ProofSheet,
    /// Its canonical JSON, byte for byte as it is stored, shown and compared.
    pub text: String,
}

impl Sheet {
    /// Names a derivation by its text.
    pub fn of(proof: ProofSheet) -> Self {
        // A sheet is dates, numbers and texts: writing it as JSON cannot fail, and an empty text would be told by its name.
        let text = proof.canonical_json().unwrap_or_default();
        Self { sheet_id: SheetId::derived(&[&text]), proof, text }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SheetKey {
    rule_id: String,
    rulebook_version: String,
    period: Period,
    event: AnchorEvent,
    at: Timestamp,
    calendar: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct DayKey {
    at: Timestamp,
    period: Period,
    calendar: String,
}

#[derive(Debug, Default)]
struct Pages {
    by_cause: HashMap<SheetKey, Arc<Sheet>>,
    by_id: HashMap<SheetId, Arc<Sheet>>,
    ends: HashMap<DayKey, Timestamp>,
    reminders: HashMap<(Date, WorkingDays, String), Option<Date>>,
    calendars: HashMap<String, Arc<Calendar>>,
}

/// The derivations of one unit of work.
#[derive(Debug, Default)]
pub struct Workbook {
    pages: Mutex<Pages>,
}

impl Workbook {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A sheet that was derived in this unit of work.
    pub fn sheet(&self, sheet_id: SheetId) -> Option<Arc<Sheet>> {
        self.pages().by_id.get(&sheet_id).cloned()
    }

    /// A calendar that a sheet of this unit of work was derived on, by its version.
    pub fn calendar(&self, version: &str) -> Option<Arc<Calendar>> {
        self.pages().calendars.get(version).cloned()
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        // A panic elsewhere leaves nothing half-done in a table of pure results.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn derive(
        &self,
        rule: AppliedRule,
        event: AnchorEvent,
        at: Timestamp,
        pauses: &[Pause],
        calendar: &Calendar,
    ) -> Result<Arc<Sheet>, CountError> {
        let key = SheetKey {
            rule_id: rule.rule_id.clone(),
            rulebook_version: rule.rulebook_version.clone(),
            period: rule.period,
            event,
            at,
            calendar: calendar.version().to_owned(),
        };
        if pauses.is_empty()
            && let Some(known) = self.pages().by_cause.get(&key)
        {
            return Ok(Arc::clone(known));
        }
        let proof = if pauses.is_empty() {
            ProofSheet::derive(rule, event, at, calendar)?
        } else {
            // Only pauses that have ended are counted with; an open one has no due date to derive.
            let beyond = CountError::OutOfRange { period: rule.period.to_string(), from: local_date(at) };
            ProofSheet::derive_paused(rule, event, at, pauses.to_vec(), calendar)?.ok_or(beyond)?
        };
        let sheet = Arc::new(Sheet::of(proof));
        let mut pages = self.pages();
        pages.by_id.insert(sheet.sheet_id, Arc::clone(&sheet));
        if !pages.calendars.contains_key(&key.calendar) {
            pages.calendars.insert(key.calendar.clone(), Arc::new(calendar.clone()));
        }
        if pauses.is_empty() {
            pages.by_cause.insert(key, Arc::clone(&sheet));
        }
        Ok(sheet)
    }

    pub(super) fn end(&self, at: Timestamp, period: Period, calendar: &Calendar) -> Result<Timestamp, CountError> {
        let key = DayKey { at, period, calendar: calendar.version().to_owned() };
        if let Some(known) = self.pages().ends.get(&key) {
            return Ok(*known);
        }
        let end = count_end(at, period, calendar)?.due_at;
        self.pages().ends.insert(key, end);
        Ok(end)
    }

    pub(super) fn reminder_day(&self, due_on: Date, amount: WorkingDays, calendar: &Calendar) -> Option<Date> {
        let key = (due_on, amount, calendar.version().to_owned());
        if let Some(known) = self.pages().reminders.get(&key) {
            return *known;
        }
        let day = working_days_before(due_on, amount, calendar);
        self.pages().reminders.insert(key, day);
        day
    }
}
