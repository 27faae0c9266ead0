//! Forming the group (督导小组) with the declarations of each member (回避声明).

use access::Permit;
use domain::case::{Appointment, Member, Recusal, Team};
use domain::ids::PersonId;
use domain::local_time::local_date;
use postgres::Tx;
use problem::Text;
use serde::Deserialize;
use utoipa::ToSchema;

use super::record::{RecusalGround, TeamEntry, member_id};
use super::{Case, standing, store};
use crate::checks::Fields;
use crate::office::actor;
use crate::registry::store::{Inspector, inspectors};

/// Class hours of training that make an inspector trained.
const TRAINING_HOURS: i32 = 40;

/// The group as a whole; it replaces an earlier one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTeam {
    /// Members, exactly one of them the leader (组长).
    pub members: Vec<NewMember>,
}

/// A member to be named.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember {
    /// The inspector.
    pub person_id: PersonId,
    /// Leads the group.
    pub leader: bool,
    /// Declared grounds for recusal; an empty list declares that there are none.
    pub recusals: Vec<RecusalGround>,
}

fn appointment(inspector: &Inspector) -> Appointment {
    Appointment {
        from: inspector.term_from,
        to: inspector.term_to,
        suspended: inspector.suspended,
        trained: inspector.training_hours >= TRAINING_HOURS,
    }
}

fn recusal(grounds: &[RecusalGround]) -> Recusal {
    if grounds.is_empty() {
        Recusal::NoConflict
    } else {
        let reasons: Vec<&str> = grounds.iter().map(|ground| ground.zh()).collect();
        Recusal::Conflict { reason: reasons.join("；") }
    }
}

/// Forms the group; the guards are judged for today.
pub(super) async fn form(tx: &mut Tx, permit: &Permit, case: &mut Case, new: NewTeam) -> problem::Result<()> {
    standing::office(permit, &case.record)?;
    let mut fields = Fields::default();
    if new.members.is_empty() || new.members.len() > 100 {
        fields.add("/members", Text::new("督导小组应有 1 至 100 名成员", "a group has 1 to 100 members"));
    }
    if new.members.iter().filter(|member| member.leader).count() != 1 {
        fields.add("/members", Text::new("应指定一名组长", "exactly one member must be the leader"));
    }
    let persons: Vec<PersonId> = new.members.iter().map(|member| member.person_id).collect();
    let known = inspectors(tx, &persons).await?;
    let mut entries = Vec::new();
    let mut members = Vec::new();
    for (n, member) in new.members.into_iter().enumerate() {
        let pointer = format!("/members/{n}/person_id");
        if persons.iter().take(n).any(|other| *other == member.person_id) {
            fields.add(&pointer, Text::new("成员重复", "is named twice"));
        }
        let Some(inspector) = known.iter().find(|it| it.person_id == member.person_id) else {
            fields.add(&pointer, Text::new("没有登记这名督学", "no such inspector is registered"));
            continue;
        };
        members.push(Member {
            account: member_id(member.person_id),
            leader: member.leader,
            appointment: appointment(inspector),
            recusal: recusal(&member.recusals),
        });
        entries.push(TeamEntry {
            person_id: member.person_id,
            name: inspector.name.clone(),
            inspector_no: inspector.inspector_no.clone(),
            leader: member.leader,
            recusals: member.recusals,
        });
    }
    fields.check()?;
    let today = local_date(tx.at());
    let mut history = Vec::new();
    case.act(&mut history, |machine| machine.form_team(Team { members, experts: Vec::new() }, today))?;
    case.record.team = entries;
    store::save(tx, case, &history, &actor(permit.caller())).await?;
    Ok(())
}
