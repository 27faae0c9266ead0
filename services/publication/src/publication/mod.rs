//! A publication (公开事项): the public page of one rectification, from draft over approval to withdrawal.

mod approve;
mod content;
pub(crate) mod http;
mod observe;
mod report;
mod state;
pub(crate) mod store;
mod withdraw;

use domain::ids::{PublicationId, RectificationId};

pub(crate) use approve::{Edit, approve};
pub(crate) use content::{PageContent, PublicStatus};
pub(crate) use observe::observe;
pub(crate) use report::reported;
pub(crate) use state::Approval;
pub(crate) use withdraw::withdraw;

/// The publication of a rectification: there is exactly one, so its identity follows from it.
pub fn publication_id(rectification_id: RectificationId) -> PublicationId {
    PublicationId::derived(&[&rectification_id.to_string()])
}
