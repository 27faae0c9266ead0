//! Telling: find the people, write their messages and deliveries, open the receipt.

use domain::ids::{EventId, MessageId, UnitId};
use messaging::ApplyError;
use postgres::Tx;

use super::{
    Matter,
    store::{self, NewMessage, Unreached},
    text::Head,
};
use crate::{
    delivery,
    directory::{Person, audience},
    preference, receipt,
    rules::{Audience, Capacity, Channel, Rule, Rules},
};

/// What telling needs to know beside the matter.
#[derive(Debug)]
pub struct Telling {
    /// Who is told what.
    pub rules: Rules,
    /// Address of the console.
    pub console: String,
    /// Whom to ask about the system.
    pub support: String,
}

/// Tells everyone who must be told. Repeating it for the same event changes nothing.
pub async fn tell(tx: &mut Tx, telling: &Telling, event_id: EventId, matter: &Matter) -> Result<(), ApplyError> {
    let template = matter.wording.template();
    let rule = telling
        .rules
        .of(template)
        .ok_or_else(|| ApplyError::Refused(format!("there is no rule for {}", template.as_str())))?;
    receipt::open(tx, matter).await?;
    let concern = audience::Concern {
        unit: &matter.unit,
        issuing_unit_id: matter.issuing_unit_id,
        case_id: matter.case_id,
        joint_liability: matter.joint_liability,
    };
    let found = audience::resolve(tx, rule, concern).await?;
    for (person, capacity) in &found.told {
        let message = compose(telling, rule, event_id, matter, *capacity)?;
        write(tx, &message, person, rule.channels(*capacity)).await?;
    }
    let passed_to = found.told.iter().filter(|(_, capacity)| *capacity == Capacity::Fallback).count();
    if found.no_addressee {
        let (unit, name) = addressee(rule, matter);
        let unreached = Unreached {
            message: compose(telling, rule, event_id, matter, Capacity::To)?,
            channels: rule.channels(Capacity::To).to_vec(),
            awaited_roles: rule
                .to
                .iter()
                .flat_map(|audience| audience::roles_in(*audience, matter.joint_liability))
                .collect(),
            awaited_unit_id: unit,
            awaited_unit_name: name.to_owned(),
            passed_to,
        };
        report(tx, &unreached).await?;
    }
    // By measure 10 the department is jointly liable: that it could not be told is worth knowing where it matters.
    if let (true, true, Some(department)) = (found.no_department, rule.legal, matter.unit.competent_unit_id) {
        let unreached = Unreached {
            message: compose(telling, rule, event_id, matter, Capacity::Copy)?,
            channels: rule.channels(Capacity::Copy).to_vec(),
            awaited_roles: audience::awaited_roles(Audience::CompetentDepartment),
            awaited_unit_id: department,
            awaited_unit_name: matter.unit.competent_unit_name.clone().unwrap_or_else(|| "主管部门".to_owned()),
            passed_to: 0,
        };
        report(tx, &unreached).await?;
    }
    Ok(())
}

async fn report(tx: &mut Tx, unreached: &Unreached) -> Result<(), sqlx::Error> {
    tracing::warn!(
        template = unreached.message.template.as_str(),
        capacity = unreached.message.capacity.as_str(),
        unit.id = %unreached.awaited_unit_id,
        passed_to = unreached.passed_to,
        "nobody of a unit that must be told has an account"
    );
    store::insert_unreached(tx, unreached).await
}

/// Writes a message for one person with its deliveries, unless the person has it.
pub(super) async fn write(
    tx: &mut Tx,
    message: &NewMessage,
    person: &Person,
    channels: &[Channel],
) -> Result<(), sqlx::Error> {
    let account = person.account_id;
    let parts = [message.event_id.to_string(), account.to_string(), message.template.as_str().to_owned()];
    let message_id = MessageId::derived(&parts.each_ref().map(String::as_str));
    if !store::insert(tx, message_id, account, message).await? {
        return Ok(());
    }
    for channel in channels {
        match channel {
            Channel::InApp => delivery::store::insert_in_app(tx, message_id).await?,
            Channel::Mail => {
                let wanted = message.legal || !preference::store::is_off(tx, account, message.template).await?;
                if wanted {
                    delivery::store::insert_mail(tx, message_id, person.email.is_some()).await?;
                }
            }
        }
    }
    Ok(())
}

/// The unit that a rule addresses: the supervised one, or the agency.
fn addressee<'a>(rule: &Rule, matter: &'a Matter) -> (UnitId, &'a str) {
    if rule.to.iter().any(|audience| matches!(audience, Audience::UnitPrincipal | Audience::UnitContact)) {
        (matter.unit.unit_id, &matter.unit.name)
    } else {
        (matter.issuing_unit_id, &matter.issuing_unit_name)
    }
}

fn compose(
    telling: &Telling,
    rule: &Rule,
    event_id: EventId,
    matter: &Matter,
    capacity: Capacity,
) -> Result<NewMessage, ApplyError> {
    let template = rule.template;
    let (_, addressee) = addressee(rule, matter);
    let department = matter.unit.competent_unit_name.as_deref();
    let (salutation, note) = match capacity {
        Capacity::To => (addressee.to_owned(), None),
        Capacity::Copy => (format!("{}（抄送）", department.unwrap_or(&matter.issuing_unit_name)), None),
        Capacity::Inform => (format!("{}（知会）", matter.issuing_unit_name), None),
        Capacity::Fallback => (
            department.map_or_else(
                || matter.issuing_unit_name.clone(),
                |department| format!("{department}、{}", matter.issuing_unit_name),
            ),
            Some(format!(
                "{addressee}在平台上没有可用账号，本消息未能送达该单位。请以其他方式送达，并督促其开通账号。"
            )),
        ),
    };
    let link = matter.rectification_id.map_or_else(
        || format!("{}/cases/{}", telling.console, matter.case_id),
        |rectification| format!("{}/rectifications/{rectification}", telling.console),
    );
    let head = Head {
        salutation,
        note,
        unit: &matter.unit.name,
        case_title: &matter.case_title,
        issuing: &matter.issuing_unit_name,
        doc_no: Some(&matter.doc_no),
        link: &link,
        support: &telling.support,
    };
    let body = matter
        .wording
        .render(head)
        .map_err(|error| ApplyError::Refused(format!("the text of {} cannot be made: {error}", template.as_str())))?;
    let mark = match capacity {
        Capacity::To | Capacity::Inform => "",
        Capacity::Copy => "（抄送）",
        Capacity::Fallback => "（代转）",
    };
    let mut unit_ids = vec![matter.unit.unit_id];
    unit_ids.extend(matter.unit.competent_unit_id);
    Ok(NewMessage {
        event_id,
        template,
        capacity,
        legal: rule.legal,
        subject: one_line(&format!("【{}】{mark}{} {}", template.zh(), matter.doc_no, matter.unit.name)),
        body,
        link,
        document_id: matter.document.as_ref().map(|document| document.document_id),
        doc_no: matter.doc_no.clone(),
        case_id: matter.case_id,
        rectification_id: matter.rectification_id,
        unit_id: matter.unit.unit_id,
        unit_name: matter.unit.name.clone(),
        area_path: matter.unit.area_path.clone(),
        unit_ids,
    })
}

/// A subject is one line, whatever a name contains.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
