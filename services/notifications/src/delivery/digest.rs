//! The digest (消息摘要): what somebody wants collected leaves as one mail a day. The digest, its mail and the transition of all
//! that went into it are one transaction, so that nothing can be swallowed between them; every message stays in the inbox.

use std::fmt::Write as _;

use domain::ids::MessageId;
use postgres::{Database, Tx};
use uuid::Uuid;

use super::store::{self, Collected};
use crate::{language::Language, message::Telling};

/// Writes the digests whose time has come; returns how many messages went into them.
pub async fn collect_due(database: &Database, telling: &Telling) -> Result<u64, sqlx::Error> {
    let mut all = 0;
    loop {
        let mut tx = database.begin().await?;
        let Some(account) = store::next_collector(&mut tx).await? else { return Ok(all) };
        let collected = store::lock_collected(&mut tx, account).await?;
        let gone = write(&mut tx, telling, account, &collected).await?;
        if usize::try_from(gone).ok() != Some(collected.len()) {
            // Somebody else has them: nothing is written.
            return Ok(all);
        }
        tx.commit().await?;
        all += gone;
    }
}

async fn write(tx: &mut Tx, telling: &Telling, account: Uuid, collected: &[Collected]) -> Result<u64, sqlx::Error> {
    let Some(newest) = collected.last() else { return Ok(0) };
    let language = Language::of_account(&newest.frame.language);
    let ids: Vec<Uuid> = collected.iter().map(|one| one.delivery_id).collect();
    let first = ids.first().map(ToString::to_string).unwrap_or_default();
    let digest = MessageId::derived(&["digest", &account.to_string(), &first]).into();
    let count = collected.len();
    let subject = match language {
        Language::ZhHans => format!("【教育督导平台】消息摘要（{count}条）"),
        Language::ZhHant => format!("【教育督導平台】消息摘要（{count}條）"),
        Language::En => format!("[Education supervision] Digest of {count} messages"),
    };
    let mut body = language
        .pick(
            "您有以下消息，详情请登录平台查看：",
            "您有以下消息，詳情請登入平台查看：",
            "You have these messages; please sign in to read them:",
        )
        .to_owned();
    body.push('\n');
    for (number, one) in (1..).zip(collected) {
        let subject = one.frame.frame(&telling.support, None)?.subject();
        let _ = write!(body, "\n{number}. {subject}\n{}", one.frame.link);
    }
    let support = language.pick("系统使用问题请联系", "系統使用問題請聯繫", "For questions about the system: ");
    let _ = write!(body, "\n\n{support}{}", telling.support);
    store::insert_digest(tx, digest, account, language.as_str(), &subject, &body, &ids).await
}
