//! One-time links (一次性签收链接): a head of a unit signs from the mail without signing in. What a link says is derived from a key
//! of this service and the message, so that a mail that is sent again says the same; the database has its hash alone.

use aws_lc_rs::{digest, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use postgres::Tx;
use problem::{Problem, ProblemKind, Text};
use sqlx::PgConnection;
use uuid::Uuid;

use super::store::{self, LinkRow, ReceiptRow, Signature};
use crate::{delivery::store::Claimed, message::Telling};

/// The key that links are derived from; its content is never shown.
#[derive(Clone)]
pub struct Links(hmac::Key);

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Links(hidden)")
    }
}

impl Links {
    /// With the content of the key file.
    pub fn new(key: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()))
    }

    fn token(&self, message: Uuid) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(b"receipt-link\x1f");
        context.update(message.as_bytes());
        URL_SAFE_NO_PAD.encode(context.sign())
    }

    /// Gives the addressees of documents that wait for a signature a link of their own.
    pub(crate) async fn attach(
        &self,
        db: &mut PgConnection,
        telling: &Telling,
        claimed: &mut [Claimed],
    ) -> Result<(), sqlx::Error> {
        let (mut hashes, mut receipts, mut accounts, mut messages) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for one in claimed.iter_mut() {
            let (Some(receipt), Some(frame)) = (one.receipt, &one.frame) else { continue };
            let token = self.token(receipt.message);
            // In the query, since the console works without scripts and what stands behind a hash sign never reaches it. Our own
            // logs name routes and no queries; used or expired it opens nothing.
            let address = format!("{}/receipts/link?code={token}", telling.console);
            one.parcel.text = frame.write(&telling.support, Some(&address))?.text;
            one.parcel.sign_link = Some(address);
            hashes.push(hash(&token));
            receipts.push(receipt.receipt);
            accounts.push(receipt.account);
            messages.push(receipt.message);
        }
        if hashes.is_empty() {
            return Ok(());
        }
        let days = i32::from(telling.rules.link_days());
        store::insert_links(db, &hashes, &receipts, &accounts, &messages, days).await
    }
}

fn hash(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref().to_vec()
}

fn unknown() -> Problem {
    Problem::unknown_resource(Text::new(
        "链接无效。请登录平台签收。",
        "There is no such link. Please sign in to acknowledge receipt.",
    ))
}

async fn find(tx: &mut Tx, token: &str) -> Result<(LinkRow, Vec<u8>, ReceiptRow), Problem> {
    let hash = hash(token.trim());
    let link = store::lock_link(tx, &hash).await?.ok_or_else(unknown)?;
    let receipt = store::lock(tx, link.document_id.into()).await?.ok_or_else(unknown)?;
    Ok((link, hash, receipt))
}

/// What a link is for; looking at it uses nothing up, since mail scanners follow links.
pub async fn show(tx: &mut Tx, token: &str) -> Result<(ReceiptRow, String, bool), Problem> {
    let (link, _, receipt) = find(tx, token).await?;
    let usable = link.active && link.used_at.is_none() && link.expires_at.to_jiff() > tx.at();
    Ok((receipt, link.display_name, usable))
}

/// Signs by a link, once: a link that was used or has expired, or whose account may no longer sign in, is refused. When somebody
/// else has signed meanwhile, that signature stays.
pub async fn sign(tx: &mut Tx, token: &str) -> Result<ReceiptRow, Problem> {
    let (link, hash, receipt) = find(tx, token).await?;
    let at = tx.at();
    let refused = |zh: &'static str, en: &'static str| Err(Problem::new(ProblemKind::StateRefuses, Text::new(zh, en)));
    if link.used_at.is_some() {
        return refused("该链接已经使用过。", "This link has been used.");
    }
    if !link.active {
        return refused(
            "该账号已停用，请由本单位其他人员签收。",
            "The account is closed; somebody else of the unit has to sign.",
        );
    }
    if link.expires_at.to_jiff() <= at {
        return refused(
            "该链接已过期，请登录平台签收。",
            "This link has expired; please sign in to acknowledge receipt.",
        );
    }
    store::use_link(tx, &hash).await?;
    let name = link.display_name.clone();
    let signature = Signature { method: "link", at, by: link.account_id.into(), name: &name, note: None };
    super::sign::write(tx, receipt, signature, &name).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_the_same_for_a_message_and_guessable_for_nobody() {
        let (links, message) = (Links::new("one key"), Uuid::from_u128(7));
        assert_eq!(links.token(message), Links::new("one key").token(message));
        assert_ne!(links.token(message), Links::new("another key").token(message));
        assert_ne!(links.token(message), links.token(Uuid::from_u128(8)));
        assert_eq!(links.token(message).len(), 43);
        assert_eq!(hash("x").len(), 32);
    }
}
