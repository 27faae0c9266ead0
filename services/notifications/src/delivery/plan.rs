//! Which deliveries a message begins with: a pure decision over the rules, the reader's wishes and the instant.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    directory::Person,
    rules::{Channel, Rules},
    template::Template,
};

/// Why mail without an address has failed.
pub const NO_ADDRESS: &str = "the account has no mail address";

/// How a delivery begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// It is there when it is written.
    Delivered,
    /// A sender may take it.
    Queued,
    /// It waits for an instant of legal time: sending hours, or the digest that it is collected for.
    Held {
        /// Until when.
        not_before: Timestamp,
        /// Until the digest.
        collected: bool,
    },
    /// It has failed already, which is better than silence.
    Failed(&'static str),
}

/// A delivery before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The message.
    pub message: Uuid,
    /// The way.
    pub channel: Channel,
    /// How it begins.
    pub begin: Begin,
}

impl Plan {
    /// One that leaves at an instant, or now.
    pub fn leaving(message: Uuid, channel: Channel, leaves: Timestamp, at: Timestamp) -> Self {
        let begin = if leaves > at { Begin::Held { not_before: leaves, collected: false } } else { Begin::Queued };
        Self { message, channel, begin }
    }
}

/// What a rule wishes for a message.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The message.
    pub message: Uuid,
    /// The way.
    pub channel: Channel,
    /// Its kind.
    pub template: Template,
    /// Cannot be switched off.
    pub legal: bool,
    /// Waits for no hours.
    pub urgent: bool,
    /// Division code of the unit's county.
    pub county: Option<&'a str>,
}

/// Adds the deliveries of a wish for a person.
pub fn person(rules: &Rules, wish: Wish<'_>, person: &Person, at: Timestamp, plans: &mut Vec<Plan>) {
    let Wish { message, channel, template, legal, urgent, county } = wish;
    let leaves = |channel| rules.may_leave(channel, county, urgent, at);
    let unwanted = |off: &[String]| !legal && off.iter().any(|kind| kind == template.as_str());
    match channel {
        Channel::InApp => plans.push(Plan { message, channel, begin: Begin::Delivered }),
        Channel::Mail if unwanted(&person.mail_off) => {}
        Channel::Mail if person.email.is_none() => {
            plans.push(Plan { message, channel, begin: Begin::Failed(NO_ADDRESS) });
            if rules.way_after(channel) == Some(Channel::Sms) && person.phone.is_some() {
                add(plans, Plan::leaving(message, Channel::Sms, leaves(Channel::Sms), at));
            }
        }
        Channel::Mail if person.daily_digest && !legal => {
            let begin = Begin::Held { not_before: rules.digest_at(at), collected: true };
            plans.push(Plan { message, channel, begin });
        }
        Channel::Mail => plans.push(Plan::leaving(message, channel, leaves(channel), at)),
        Channel::Sms if person.phone.is_none() || unwanted(&person.sms_off) => {}
        Channel::Sms => add(plans, Plan::leaving(message, channel, leaves(channel), at)),
        // Of units, not of persons.
        Channel::Webhook | Channel::Wecom | Channel::Dingtalk => {}
    }
}

/// A way that a rule names and the fall-back as well is gone once.
fn add(plans: &mut Vec<Plan>, plan: Plan) {
    let known = plans.iter().rev().take_while(|known| known.message == plan.message);
    if !known.into_iter().any(|known| known.channel == plan.channel) {
        plans.push(plan);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use domain::ids::AccountId;

    fn rules() -> Rules {
        Rules::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook"), "460000").unwrap()
    }

    fn somebody() -> Person {
        Person {
            account_id: AccountId::new(Uuid::from_u128(1)),
            email: Some("a@b.example".to_owned()),
            phone: Some("+8613800000000".to_owned()),
            language: Language::ZhHans,
            mail_off: vec!["item_closed".to_owned()],
            sms_off: Vec::new(),
            daily_digest: true,
        }
    }

    fn planned(channel: Channel, template: Template, legal: bool, who: &Person, at: &str) -> Vec<(Channel, Begin)> {
        let mut plans = Vec::new();
        let wish = Wish { message: Uuid::nil(), channel, template, legal, urgent: false, county: Some("460100") };
        person(&rules(), wish, who, at.parse().unwrap(), &mut plans);
        plans.into_iter().map(|plan| (plan.channel, plan.begin)).collect()
    }

    #[test]
    fn a_legal_notice_leaves_whatever_somebody_prefers() {
        let (noon, midnight) = ("2026-11-19T04:00:00Z", "2026-11-19T16:00:00Z");
        let who = somebody();
        let order = |channel, at| planned(channel, Template::UrgingOrder, true, &who, at);
        assert_eq!(order(Channel::Mail, midnight), [(Channel::Mail, Begin::Queued)]);
        let morning = Begin::Held { not_before: "2026-11-20T00:00:00Z".parse().unwrap(), collected: false };
        assert_eq!(order(Channel::Sms, midnight), [(Channel::Sms, morning)]);
        assert_eq!(order(Channel::Sms, noon), [(Channel::Sms, Begin::Queued)]);
        assert_eq!(planned(Channel::Mail, Template::ItemClosed, false, &who, noon), []);
        let digest = Begin::Held { not_before: "2026-11-20T00:30:00Z".parse().unwrap(), collected: true };
        assert_eq!(planned(Channel::Mail, Template::ItemVerified, false, &who, noon), [(Channel::Mail, digest)]);
    }

    #[test]
    fn without_an_address_the_next_way_is_gone_at_once() {
        let mut who = somebody();
        who.email = None;
        let noon = "2026-11-19T04:00:00Z";
        let failed = (Channel::Mail, Begin::Failed(NO_ADDRESS));
        let planned = |who: &Person| planned(Channel::Mail, Template::UrgingOrder, true, who, noon);
        assert_eq!(planned(&who), [failed.clone(), (Channel::Sms, Begin::Queued)]);
        who.phone = None;
        assert_eq!(planned(&who), [failed]);
    }
}
