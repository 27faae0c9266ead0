//! Loss of the broker's disk: the broker is shot under load and comes back with nothing. The relays notice that their streams
//! are others, make them anew and fill them from the journals; the inboxes keep every effect from happening twice.

use std::time::Instant;

use super::{Ground, Report};
use crate::lives::{Lives, flow};
use crate::world::wait::until_true;

/// Steps that people take before and after the loss, while load runs.
const STEPS: usize = 40;

/// Plays it.
pub async fn drill(ground: &Ground) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let (world, people) = ground.start(ground.world()).await?;
    let lives = Lives::new(&world, &people, &ground.size)?;
    let steps = STEPS.min(lives.steps() / 4);
    ground
        .under_load(&lives, async |_| {
            ground.steps(&lives, steps).await?;
            ground.say.it("the broker loses its disk");
            let lost = Instant::now();
            world.stack().nats().wipe().await?;
            report.phase("消息服务器重新可用 the broker serves again", lost.elapsed());
            // A stream is there again when its relay has noticed.
            let broker = world.jetstream().await?;
            for service in flow::JOURNALS {
                let stream = contracts::subjects::stream("", service);
                until_true("the streams are there again", || async { Ok(broker.get_stream(&stream).await.is_ok()) })
                    .await?;
            }
            report.phase("各流已重建 streams made anew", lost.elapsed());
            ground.steps(&lives, steps).await
        })
        .await?;
    ground.prove(&world, &lives, &mut report).await?;
    world.stop().await;
    Ok(report)
}
