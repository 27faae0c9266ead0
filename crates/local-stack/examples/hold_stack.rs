//! `hold_stack FOLDER BINARIES`: opens a stack, starts the service `tasks`, writes the pids of all its processes to FOLDER/pids,
//! and holds it until it is interrupted. The tests of this crate interrupt it, and shoot it.

use std::path::PathBuf;

use local_stack::{KeyMakers, KeyTexts, Stack, StackOptions, Tools, interrupted, workspace_root};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let (Some(folder), Some(binaries)) = (arguments.next(), arguments.next()) else {
        return Err("usage: hold_stack FOLDER BINARIES".into());
    };
    let key = || Ok(KeyTexts { private: "private".to_owned(), public: "public".to_owned() });
    let keys = KeyMakers { journal: key, token: key };
    let tools = Tools::find(&workspace_root())?;
    let options = StackOptions { durable: false, ..StackOptions::new(folder.join("run"), tools, binaries, keys) };
    let mut stack = Stack::open(options).await?;
    stack.start(&["tasks"], |settings| settings.ready_at().to_string()).await?;
    let mut pids = String::new();
    for name in stack.names() {
        pids.extend(stack.process(&name)?.pid().map(|pid| format!("{pid}\n")));
    }
    // Renamed, so that a reader never sees half of it.
    std::fs::write(folder.join("pids.unfinished"), pids)?;
    std::fs::rename(folder.join("pids.unfinished"), folder.join("pids"))?;
    interrupted().await;
    stack.stop().await;
    Ok(())
}
