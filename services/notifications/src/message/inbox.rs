//! Reading one's own messages.

use domain::ids::{AccountId, MessageId};
use postgres::Tx;
use problem::{Problem, Text};

use super::store::{self, InboxRow};

/// Marks a message as read. Repeating it changes nothing; the messages of others do not exist for the account.
pub async fn mark_read(tx: &mut Tx, account: AccountId, message: MessageId) -> Result<InboxRow, Problem> {
    store::mark_read(tx, account, message)
        .await?
        .ok_or_else(|| Problem::unknown_resource(Text::new("您没有这条消息。", "You have no such message.")))
}
