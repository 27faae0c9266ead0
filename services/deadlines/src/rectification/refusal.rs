//! Domain refusals → problems: what is wrong, and what to do about it.

use domain::local_time::moment_zh;
use domain::rectification::{LookBackState, Rectification, RectificationRefusal as Refusal};
use domain::rulebook::Rulebook;
use problem::{Problem, ProblemKind, Text};
use serde_json::Value;

use super::act::{Act, ItemAct};
use super::dossier::RulebookMissing;

/// What was refused: the act, the case that it was about, and its rules.
pub(crate) struct Asked<'a> {
    pub(crate) act: &'a Act,
    pub(crate) of: &'a Rectification,
    pub(crate) rulebook: &'a Rulebook,
}

/// The problem that a refusal becomes.
pub(crate) fn problem(refusal: &Refusal, asked: &Asked<'_>) -> Problem {
    match refusal {
        Refusal::UnknownItem(_) => Problem::unknown_resource(Text::new(
            "该整改中没有这一事项。请从整改详情中选择事项。",
            "The rectification has no such item; choose one that it shows.",
        )),
        Refusal::State { state, act: _ } => Problem::state_refuses(
            Text::new(
                format!("{}。请刷新页面，按该事项的当前状态办理。", refusal.zh()),
                format!("{refusal}; reload and go on from the state that it has now."),
            ),
            *state,
        ),
        Refusal::SamePerson => separated(asked.same_person()),
        Refusal::NotInspector => separated((
            "须由本辖区在聘督学办理。请转由督学办理。",
            "Only an inspector appointed in this area may do it; hand it to one.",
        )),
        Refusal::OwnUnit => separated((
            "责任单位人员不得核查本单位的整改事项。请由其他单位的督学办理。",
            "The verifier belongs to the unit that must rectify; let an inspector of another unit do it.",
        )),
        Refusal::NotEntitled => Problem::forbidden(asked.not_entitled()),
        Refusal::EmptyText => Problem::invalid_field(asked.text_field(), Text::new("请填写内容。", "Write a text.")),
        Refusal::NoEvidence => Problem::invalid_field(
            "/evidence",
            Text::new("请至少上传一份佐证材料。", "Upload at least one piece of evidence."),
        ),
        Refusal::NoMeasure => Problem::invalid_field(
            "/measures",
            Text::new("请至少填写一项措施及其责任人。", "Write at least one measure with who answers for it."),
        ),
        Refusal::NoPlanAsked | Refusal::PlanState(_) => plan(refusal, asked),
        Refusal::LimitPassed
        | Refusal::NoMoreExtensions(_)
        | Refusal::ExtensionLength
        | Refusal::Paused
        | Refusal::NotPaused
        | Refusal::PauseReason
        | Refusal::PauseLength
        | Refusal::RequestPending
        | Refusal::UnknownRequest => request(refusal, asked),
        Refusal::UnknownStep => Problem::unknown_resource(Text::new(
            "没有这项升级措施。请从整改详情中选择。",
            "There is no such step; choose one that the rectification shows.",
        )),
        Refusal::StepDecided => Problem::state_refuses(
            Text::new(
                "这项升级措施已经决定，不能再次决定。确需撤销的，请申请解除。",
                "The step has been decided already; ask for it to be lifted if it must go.",
            ),
            "decided",
        ),
        Refusal::StepMoot => Problem::state_refuses(
            Text::new(
                "这项升级措施所列事项均已办结，措施已自行终结，无需再作决定。请刷新页面查看当前状态。",
                "The step has ended by itself, for its items are done; there is nothing to decide. Reload to see how it stands.",
            ),
            "moot",
        ),
        Refusal::ConsultationOpen | Refusal::NoConsultation => consultation(refusal, asked),
        Refusal::NoLookBack => no_look_back(asked),
        Refusal::CounterpartOpen => counterpart_open(asked),
        Refusal::NoFinding
        | Refusal::FindingTwice(_)
        | Refusal::OtherLetter
        | Refusal::OtherRulebook { .. }
        | Refusal::OtherCalendar { .. }
        | Refusal::Count(_)
        | Refusal::NoLadderStep(_)
        | Refusal::NoRule(_)
        | Refusal::UnknownNumber(_) => Problem::internal(refusal),
    }
}

fn separated((zh, en): (&'static str, &'static str)) -> Problem {
    Problem::new(ProblemKind::SeparationOfDuties, Text::new(zh, en))
}

impl Asked<'_> {
    /// Where the words of the act stand in its body.
    fn text_field(&self) -> &'static str {
        match self.act {
            Act::Item(_, act) => match act {
                ItemAct::SubmitPlan { .. }
                | ItemAct::NoteProgress(_)
                | ItemAct::Report { .. }
                | ItemAct::AnswerConsultation(_) => "/text",
                ItemAct::JudgePlan(_) | ItemAct::Verify(_) | ItemAct::LookBack(_) => "/note",
                ItemAct::CloseOut { .. } => "/opinion",
                ItemAct::RefuseCloseOut { .. } => "/reason",
                ItemAct::Consult { office, .. } if office.trim().is_empty() => "/office",
                ItemAct::Consult { .. } => "/question",
            },
            Act::Ask { .. } => "/reason",
            Act::DecideRequest { .. } | Act::TakeStep { .. } => "/note",
        }
    }

    fn same_person(&self) -> (&'static str, &'static str) {
        match self.act {
            Act::Item(_, ItemAct::JudgePlan(_)) => (
                "整改方案的提交人不得审核自己的方案。请由其他人员审核。",
                "Who handed in the plan does not judge it; let someone else do it.",
            ),
            Act::DecideRequest { .. } => (
                "申请人不得审批自己的申请。请由其他有审批权限的人员审批。",
                "Who made the request does not decide it; let someone else who may do it.",
            ),
            Act::Item(_, ItemAct::RefuseCloseOut { .. }) => (
                "报告人、核查人不得对自己经办的事项作出不予销号的决定。请由其他人员办理。",
                "Who reported or verified the item does not refuse its close-out; let someone else do it.",
            ),
            Act::Item(_, ItemAct::LookBack(_)) => (
                "报告人不得对自己报告的事项回头看。请由其他督学办理。",
                "Who reported the item does not look back at it; let another inspector do it.",
            ),
            Act::Item(..) | Act::Ask { .. } | Act::TakeStep { .. } => (
                "报告人不得核查或销号本人报告的事项。请由其他人员办理。",
                "Who reported must not verify or close the item; let someone else do it.",
            ),
        }
    }

    fn not_entitled(&self) -> Text {
        match self.act {
            Act::DecideRequest { .. } => Text::new(
                "这项升级措施须由督导委员会负责人决定，解除申请无论是否批准，也须由其审批。请提请督导委员会主任审批。",
                "This step is for the Committee's leaders to decide, and so is the request to lift it, granted or refused; \
                 put it before the chair.",
            ),
            Act::Item(..) | Act::Ask { .. } | Act::TakeStep { .. } => Text::new(
                "这项升级措施须由督导委员会负责人决定。请提请督导委员会主任办理。",
                "This step is for the Committee's leaders to decide; put it before the chair.",
            ),
        }
    }

    /// Whether somebody asks, and can ask otherwise; else somebody decides on what was asked.
    fn asks(&self) -> bool {
        matches!(self.act, Act::Ask { .. })
    }
}

fn plan(refusal: &Refusal, asked: &Asked<'_>) -> Problem {
    let (zh, en, state) = match refusal {
        Refusal::PlanState(state @ ("asked" | "returned")) => {
            ("请等待单位提交整改方案后再审核。", "wait until the unit has handed in its plan", *state)
        }
        Refusal::PlanState(state @ "submitted") => {
            ("方案正在审核，请等待审核结果。", "wait until it has been judged", *state)
        }
        Refusal::PlanState(state) => ("请按已通过的方案整改，并报告整改情况。", "go on with the accepted plan", *state),
        _ if matches!(asked.act, Act::Item(_, ItemAct::JudgePlan(_))) => {
            ("没有需要审核的方案。", "there is nothing to judge", "no_plan_asked")
        }
        _ => ("完成整改后请直接报告整改结果。", "report the result when it is done", "no_plan_asked"),
    };
    Problem::state_refuses(Text::new(format!("{}。{zh}", refusal.zh()), format!("{refusal}; {en}.")), state)
}

fn request(refusal: &Refusal, asked: &Asked<'_>) -> Problem {
    let most = |period: domain::period::Period| period.zh();
    match refusal {
        Refusal::UnknownRequest => Problem::unknown_resource(Text::new(
            "没有这项申请，或者已经审批。请刷新页面查看结果。",
            "There is no such request, or it has been decided; reload to see the outcome.",
        )),
        Refusal::RequestPending => {
            let pending = asked.of.requests.iter().map(|request| Value::from(request.request_id.to_string()));
            let pending: Vec<Value> = pending.collect();
            Problem::state_refuses(
                Text::new(
                    "同一事项已有申请待审批。请等待审批结果后再提出。",
                    "A request on the same matter waits for a decision; wait for it before you ask again.",
                ),
                "request_pending",
            )
            .with("pending_requests", pending)
        }
        // What was asked for cannot be granted any more: whoever decides can only say no.
        _ if !asked.asks() => Problem::state_refuses(
            Text::new(
                format!("{}，该申请已不能批准。请作出不予批准的决定，并说明理由。", refusal.zh()),
                format!("{refusal}, so the request cannot be granted any more; refuse it and say why."),
            ),
            refusal.key(),
        ),
        Refusal::LimitPassed => Problem::state_refuses(
            Text::new(
                "整改时限已届满，不能再延期或者中止。请尽快完成整改并报告；确无需整改的，可以申请免于整改。",
                "The limit has passed already and can be neither extended nor stopped; report as soon as you can, or ask for a \
                 waiver.",
            ),
            refusal.key(),
        ),
        Refusal::NoMoreExtensions(times) => Problem::state_refuses(
            Text::new(
                format!("每个整改事项最多延期{times}次，该事项已延期。确有不能整改的情形，可以申请中止期限。"),
                format!(
                    "The item was extended {times} times already, which is the most; ask for a stop of the clock if need be."
                ),
            ),
            refusal.key(),
        ),
        Refusal::ExtensionLength => {
            let longest = most(asked.rulebook.extension.longest);
            Problem::invalid_field(
                "/period",
                Text::new(
                    format!("延长后的期限须晚于现行期限，且最长为{longest}。"),
                    format!("The extension must lengthen the limit, by {longest} at most."),
                ),
            )
        }
        Refusal::Paused => Problem::state_refuses(
            Text::new(
                "期限已中止。请在期限恢复后再申请，或者先申请恢复期限。",
                "The clock is stopped; ask again when it runs, or ask for it to be started first.",
            ),
            refusal.key(),
        ),
        Refusal::NotPaused => Problem::state_refuses(
            Text::new(
                "期限没有中止，无需恢复。请刷新页面查看当前期限。",
                "The clock is not stopped; reload to see the limits.",
            ),
            refusal.key(),
        ),
        Refusal::PauseReason => {
            let reasons: Vec<&str> = asked.rulebook.pause.reasons.iter().map(|reason| reason.zh()).collect();
            Problem::invalid_field(
                "/pause",
                Text::new(
                    format!("规则库不允许以此理由中止期限，可以选择：{}。", reasons.join("、")),
                    "The rulebook does not allow to stop the clock for this reason.",
                ),
            )
        }
        _ => {
            let longest = most(asked.rulebook.pause.longest);
            Problem::invalid_field(
                "/until",
                Text::new(
                    format!("中止的截止日不得早于今日，最长为{longest}。"),
                    format!("The stop must end today or later, and after {longest} at most."),
                ),
            )
        }
    }
}

fn consultation(refusal: &Refusal, asked: &Asked<'_>) -> Problem {
    let open = match asked.act {
        Act::Item(item_id, _) => {
            asked.of.item(*item_id).and_then(|item| item.consultations.iter().find(|known| known.answer.is_none()))
        }
        Act::Ask { .. } | Act::DecideRequest { .. } | Act::TakeStep { .. } => None,
    };
    match open {
        Some(open) => Problem::state_refuses(
            Text::new(
                format!("已向{}发出协商意见，尚未答复。请先登记其答复。", open.office),
                format!("{} has been consulted and has not answered yet; record its answer first.", open.office),
            ),
            refusal.key(),
        ),
        None => Problem::state_refuses(
            Text::new(
                "没有待答复的协商意见。请先发起协商，或刷新页面查看已登记的答复。",
                "No consultation waits for an answer; begin one first, or reload to see the answer recorded.",
            ),
            refusal.key(),
        ),
    }
}

fn no_look_back(asked: &Asked<'_>) -> Problem {
    let next = match asked.act {
        Act::Item(item_id, _) => asked.of.item(*item_id).and_then(|item| {
            let armed = item.look_backs.iter().filter(|look| look.state == LookBackState::Armed);
            armed.map(|look| look.due_at).min()
        }),
        Act::Ask { .. } | Act::DecideRequest { .. } | Act::TakeStep { .. } => None,
    };
    let text = match next {
        Some(due_at) => Text::new(
            format!("回头看尚未到期，请在{}后办理。", moment_zh(due_at)),
            format!("The look-back is not due yet; record it after {due_at}."),
        ),
        None => Text::new(
            "该事项没有到期的回头看，无需办理。请刷新页面查看其状态。",
            "No look-back is due; reload to see how the item stands.",
        ),
    };
    Problem::state_refuses(text, "no_look_back")
}

fn counterpart_open(asked: &Asked<'_>) -> Problem {
    let counterpart = asked.of.link.map(|link| link.rectification_id().to_string());
    let problem = Problem::state_refuses(
        Text::new(
            "连带责任的另一方尚未整改到位，双方须一并销号。请待另一方全部核查通过后再办理。",
            "The case on the other side of the joint liability is not ready to close, and both close together; wait until its \
             items have been verified.",
        ),
        "counterpart_open",
    );
    match counterpart {
        Some(counterpart) => problem.with("counterpart", counterpart),
        None => problem,
    }
}

impl From<RulebookMissing> for Problem {
    fn from(missing: RulebookMissing) -> Self {
        Problem::internal(&missing)
    }
}
