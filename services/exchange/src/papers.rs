//! Documents as plain text (文书纯文本): what the platform is given to read beside the fields of its form.
//!
//! The text is made from the frozen content with the templates that it names, the same as the file that an office saves. The
//! content of a letter comes with its event. That of an urging order is not carried, for they are issued by thousands: it is
//! formed again from the facts that the event has. Either is believed only when its hash is the document's.

use contracts::deadlines::{RectificationSnapshot, UrgingOrderFact};
use contracts::shared::DocumentRef;
use documents::content::{LateItem, UrgingOrderFacts};
use documents::{Content, Frozen, PaperState, TemplateFaults, Templates};
use domain::local_time::local_date;

use crate::config::DocumentsSection;

/// The templates, and the address behind which documents are verified.
#[derive(Debug, Clone)]
pub struct Papers {
    templates: Templates,
    portal: String,
}

impl Papers {
    /// Reads the templates; every fault of them is named with file and line.
    pub fn load(section: &DocumentsSection) -> Result<Self, TemplateFaults> {
        Ok(Self::new(Templates::load(&section.templates)?, section.portal.clone()))
    }

    /// From templates that were read, and the portal's address.
    pub fn new(templates: Templates, portal: String) -> Self {
        Self { templates, portal }
    }

    /// The text of a document whose frozen content is at hand.
    pub(crate) fn text(&self, document: &DocumentRef, content: &str) -> Option<String> {
        let frozen = Frozen::read(content.as_bytes()).ok()?;
        self.checked(document, &frozen)
    }

    /// The text of the urging order in that place, from 1, of a case.
    pub(crate) fn urging_order(
        &self,
        case: &RectificationSnapshot,
        order: &UrgingOrderFact,
        place: u32,
    ) -> Option<String> {
        let issued_on = local_date(order.document.issued_at);
        let items = order.items.iter().map(|urged| {
            let item = case.items.iter().find(|item| item.item_id == urged.item_id)?;
            let late = LateItem {
                days_late: urged.was_due_on.until(issued_on).ok()?.get_days().unsigned_abs(),
                demand: Some(item.demand.clone()),
                due_on: urged.due_on,
                number: urged.number.unsigned_abs(),
                problem: item.description.clone(),
                rule: urged.rule.clone(),
                severity: Some(item.severity.zh().to_owned()),
                was_due_on: urged.was_due_on,
            };
            Some((item.finding_id, late))
        });
        let content = Content::urging_order(UrgingOrderFacts {
            number: order.document.doc_no.parse().ok()?,
            issued_on,
            template: &order.template,
            agency: &order.document.issuing_unit_name,
            unit: &case.unit.name,
            competent_department: order.copy_to.as_deref(),
            case_id: case.case_id,
            case_title: &case.case_title,
            letter_no: &case.letter.doc_no,
            letter_issued_on: local_date(case.letter.issued_at),
            sequence: place,
            items: items.collect::<Option<_>>()?,
        });
        self.checked(&order.document, &content.freeze())
    }

    /// The text of a content that is the document's; another is nobody's paper.
    fn checked(&self, document: &DocumentRef, frozen: &Frozen) -> Option<String> {
        self.templates.text_of(frozen, &document.content_sha256, PaperState::Genuine, &self.portal)
    }
}
