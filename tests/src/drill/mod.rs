//! Drills: what an operator rehearses (restore, loss, exchange of keys, …), played on a real installation on this machine.
//!
//! Each drill is a file with one function, named in [`ALL`]. It builds the world that it needs, lets rectifications live in it
//! (see [`crate::lives`]), strikes, brings back what was struck by the very acts that an operator has, and proves that nothing
//! was lost and nothing happened twice. Its [`Report`] says how long each phase took, which requests were not served at the
//! first attempt, and what was lost by nature. A drill that loses anything else is an error.
//!
//! `drill` (the program) runs them in full size, one after the other; `make test` runs each in a small one.

mod broker_disk;
mod county_move;
mod full_disk;
mod ground;
mod metrics;
mod platform_away;
mod replica;
mod report;
mod restore;
mod rotation;
mod upgrade;
mod wrong_clock;

use std::path::Path;

use futures_util::future::BoxFuture;

use crate::lives::Size;
use crate::say::Say;

pub use ground::{Ground, Load};
pub use report::{Count, Outcome, Phase, Report, markdown, table};

use metrics::{metric, metric_at};

/// A drill.
#[derive(Debug)]
pub struct Drill {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is drilled, Chinese and English.
    pub title: &'static str,
    /// Rectifications in full size.
    pub full: usize,
    /// Plays it.
    pub run: for<'a> fn(&'a Ground) -> BoxFuture<'a, anyhow::Result<Report>>,
}

impl Drill {
    /// Plays it in a folder, which is emptied before, and after a success; what a failed one leaves says what happened.
    pub async fn play(
        &self,
        folder: &Path,
        rectifications: usize,
        seed: u64,
        small: bool,
        from: Option<String>,
    ) -> Outcome {
        std::fs::remove_dir_all(folder).ok();
        let size = Size { rectifications, seed };
        let ground = Ground { folder: folder.to_owned(), size, small, from, say: Say::new() };
        ground.say.it(&format!("{}: {rectifications} rectifications, seed {seed}, in {}", self.name, folder.display()));
        let played = (self.run)(&ground).await;
        let seconds = ground.say.elapsed().as_secs_f64();
        let error = played.as_ref().err().map(|error| format!("{error:#}"));
        let outcome = Outcome {
            drill: self.name.to_owned(),
            title: self.title.to_owned(),
            size: rectifications,
            seed,
            seconds,
            error,
            report: played.unwrap_or_default(),
        };
        if outcome.is_good() {
            std::fs::remove_dir_all(folder).ok();
        }
        outcome
    }
}

/// Every drill, in the order in which `make drills` plays them.
pub const ALL: &[Drill] = &[
    Drill {
        name: "restore",
        title: "数据库备份与时间点恢复 · backup and point-in-time restore of PostgreSQL",
        full: 600,
        run: |ground| Box::pin(restore::drill(ground)),
    },
    Drill {
        name: "broker-disk",
        title: "消息服务器磁盘丢失 · loss of the broker's disk",
        full: 400,
        run: |ground| Box::pin(broker_disk::drill(ground)),
    },
    Drill {
        name: "replica",
        title: "每种组件丢失一个副本 · loss of one replica of everything",
        full: 600,
        run: |ground| Box::pin(replica::drill(ground)),
    },
    Drill {
        name: "full-disk",
        title: "磁盘写满 · full disk",
        full: 400,
        run: |ground| Box::pin(full_disk::drill(ground)),
    },
    Drill {
        name: "upgrade",
        title: "负载下升级与回退 · upgrade and roll-back under load",
        full: 900,
        run: |ground| Box::pin(upgrade::drill(ground)),
    },
    Drill {
        name: "rotation",
        title: "全部密钥和密码轮换 · change of every key and password",
        full: 600,
        run: |ground| Box::pin(rotation::drill(ground)),
    },
    Drill {
        name: "wrong-clock",
        title: "一个节点时钟偏差一小时 · one node's clock is an hour off",
        full: 400,
        run: |ground| Box::pin(wrong_clock::drill(ground)),
    },
    Drill {
        name: "platform-away",
        title: "国家平台中断一周 · the national platform is away for a week",
        full: 400,
        run: |ground| Box::pin(platform_away::drill(ground)),
    },
    Drill {
        name: "county-move",
        title: "洋浦按日期并入儋州 · a county becomes a part of another by date",
        full: 200,
        run: |ground| Box::pin(county_move::drill(ground)),
    },
];

/// The drill of that name.
pub fn find(name: &str) -> Option<&'static Drill> {
    ALL.iter().find(|drill| drill.name == name)
}
