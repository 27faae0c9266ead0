//! The use case: a file into the register, in one transaction.

use std::collections::HashSet;

use access::Permit;
use contracts::Actor;
use domain::{ids::ImportId, local_time::local_date};
use jiff::civil::Date;
use postgres::Tx;
use problem::{Problem, ProblemKind, Text};
use service_kit::ids::Ids;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    FileLimits, ImportKind, file,
    read::{self, Parsed, Rows, UnitRow},
    report::{Remark, Report, Tally},
    resolve,
    store::{self, By},
    table::Table,
};
use crate::{
    account,
    area::{
        self,
        tree::{Node, Tree},
    },
    corrupt::corrupt,
    inspector,
    unit::{self, store::Spoken},
};

/// An upload that was read and understood as far as it can be by itself.
#[derive(Debug)]
pub(crate) struct Upload {
    pub kind: ImportKind,
    pub file_name: String,
    pub sha256: [u8; 32],
    parsed: Parsed,
}

/// Reads a file; heavy work, for a thread that may block.
pub(crate) fn read_upload(
    kind: ImportKind,
    file_name: String,
    bytes: &[u8],
    limits: &FileLimits,
) -> Result<Upload, Problem> {
    let sheets = file::read(bytes, &file_name, limits)?;
    let parsed = read::parse(&sheets, kind);
    if parsed.tables.is_empty() {
        let found: Vec<&str> = sheets.iter().map(|sheet| sheet.name.as_str()).collect();
        let wanted: Vec<&str> = kind.tables().iter().map(|table| table.sheet()).collect();
        return Err(Problem::new(
            ProblemKind::RejectedFile,
            Text::new(
                format!("文件中没有可导入的工作表：需要“{}”，文件中有“{}”。", wanted.join("、"), found.join("、")),
                format!("The file holds no sheet to import: wanted {}, found {}.", wanted.join(", "), found.join(", ")),
            ),
        ));
    }
    Ok(Upload { kind, file_name, sha256: Sha256::digest(bytes).into(), parsed })
}

/// Takes the good rows of a file over and says what became of every one.
pub(crate) async fn run(
    tx: &mut Tx,
    permit: &Permit,
    actor: &Actor,
    ids: &dyn Ids,
    upload: Upload,
) -> Result<Report, Problem> {
    store::lock(tx).await?;
    let root = area::store::root(tx).await?.ok_or_else(no_province)?;
    permit.on(&access::Resource::in_area(root.path.iter().copied().map(Into::into)))?;

    let Upload { kind, file_name, sha256, parsed } = upload;
    let mut work = Work {
        actor,
        ids,
        today: local_date(tx.at()),
        tree: load_tree(tx).await?,
        rejected: parsed.rejected,
        tallies: Vec::new(),
    };
    match kind {
        ImportKind::Province => {
            let (areas, units, schools) = (parsed.areas, parsed.units, parsed.schools);
            work.areas(tx, areas, parsed.tables.contains(&Table::Areas)).await?;
            work.units(tx, units, schools, &parsed.tables).await?;
            work.inspectors(tx, parsed.inspectors, parsed.tables.contains(&Table::Inspectors)).await?;
        }
        ImportKind::Accounts => work.accounts(tx, parsed.accounts).await?,
    }
    let Work { mut rejected, tallies, .. } = work;
    let order: Vec<&str> = parsed.tables.iter().map(|table| table.sheet()).collect();
    let place = |remark: &Remark| order.iter().position(|sheet| *sheet == remark.sheet);
    rejected.sort_by_key(|remark| (place(remark), remark.row));
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum();
    let report = Report {
        import_id: ImportId::new(ids.new_id()),
        kind,
        file_name,
        imported_at: tx.at(),
        rows: sum(|tally| tally.rows),
        created: sum(|tally| tally.created),
        changed: sum(|tally| tally.changed),
        unchanged: sum(|tally| tally.unchanged),
        rejected_rows: sum(|tally| tally.rejected_rows),
        rejected_total: rejected.len(),
        rejected,
        warnings_total: parsed.warnings.len(),
        warnings: parsed.warnings,
        tables: tallies,
        ignored_sheets: parsed.ignored_sheets,
    };
    let caller = permit.caller();
    let by = By { account_id: caller.account_id.into(), name: &caller.display_name, area_path: &root.path };
    store::put(tx, &report, &sha256, &by).await?;
    tracing::info!(
        import.id = %report.import_id, import.kind = kind.word(), rows = report.rows, created = report.created,
        changed = report.changed, rejected = report.rejected_rows, "a file was imported"
    );
    Ok(report)
}

/// Reads the tree as it stands.
async fn load_tree(tx: &mut Tx) -> Result<Tree, sqlx::Error> {
    let areas = area::store::all(tx).await?;
    let code_of = |id: Uuid| areas.iter().find(|area| area.area_id == id).map(|area| area.code.clone());
    let mut tree = Tree::default();
    for found in &areas {
        let node = Node {
            area_id: found.area_id,
            name: found.name.clone(),
            level: area::level_of(&found.level).ok_or_else(|| corrupt("areas", "level", found.area_id))?,
            parent: found.parent_id.and_then(code_of),
            effective_on: found.effective_on,
        };
        tree.insert(found.code.clone(), node);
    }
    Ok(tree)
}

fn no_province() -> Problem {
    Problem::state_refuses(
        Text::new(
            "省级区划尚未登记；请检查系统初始化配置。",
            "The province is not recorded yet; check the configuration of the first start.",
        ),
        "no_province",
    )
}

/// What the steps of an import share.
struct Work<'a> {
    actor: &'a Actor,
    ids: &'a dyn Ids,
    today: Date,
    tree: Tree,
    rejected: Vec<Remark>,
    tallies: Vec<Tally>,
}

impl Work<'_> {
    fn tally(&mut self, table: Table, rows: usize, accepted: usize, created: usize, changed: usize) {
        self.tallies.push(Tally {
            table,
            rows,
            created,
            changed,
            unchanged: accepted.saturating_sub(created + changed),
            rejected_rows: rows.saturating_sub(accepted),
        });
    }

    async fn areas(&mut self, tx: &mut Tx, rows: Rows<read::AreaRow>, there: bool) -> Result<(), Problem> {
        if !there {
            return Ok(());
        }
        let taken = resolve::areas(&mut self.tree, rows.good, self.ids, self.today, &mut self.rejected);
        let taken: HashSet<String> = taken.into_iter().collect();
        let changed = area::store::upsert(tx, &resolve::area_drafts(&self.tree)).await?;
        let events = changed.iter().map(area::recorded).collect::<Result<Vec<_>, _>>()?;
        messaging::append_all(tx, self.actor, &events).await?;
        let of_file =
            |new: bool| changed.iter().filter(|area| taken.contains(&area.code) && (area.version == 1) == new).count();
        self.tally(Table::Areas, rows.read, taken.len(), of_file(true), of_file(false));
        if changed.iter().all(|area| area.version == 1) {
            return Ok(());
        }
        // What lies in the changed areas carries their names and paths.
        let units = unit::store::follow_areas(tx, self.today).await?;
        self.tell_units(tx, &units).await?;
        let inspectors = inspector::store::follow_areas(tx, self.today).await?;
        let events: Vec<_> = inspectors.iter().map(inspector::recorded).collect();
        messaging::append_all(tx, self.actor, &events).await?;
        account::store::follow_areas(tx).await?;
        Ok(())
    }

    async fn units(
        &mut self,
        tx: &mut Tx,
        departments: Rows<UnitRow>,
        schools: Rows<UnitRow>,
        tables: &[Table],
    ) -> Result<(), Problem> {
        if !tables.contains(&Table::Units) && !tables.contains(&Table::Schools) {
            return Ok(());
        }
        let mut known = unit::store::ids_by_key(tx).await?;
        for (table, column, rows) in
            [(Table::Units, "所属区划代码", departments), (Table::Schools, "所在区划代码", schools)]
        {
            if !tables.contains(&table) {
                continue;
            }
            let drafts = resolve::units(&self.tree, &mut known, rows.good, column, self.ids, &mut self.rejected);
            let spoken = Spoken {
                competent: rows.columns.contains("主管单位键"),
                private: rows.columns.contains("举办者"),
                students: rows.columns.contains("在校生数"),
                credit: rows.columns.contains("统一社会信用代码"),
            };
            let changed = unit::store::upsert(tx, &drafts, spoken, self.today).await?;
            self.tell_units(tx, &changed).await?;
            let created = changed.iter().filter(|unit| unit.version == 1).count();
            self.tally(table, rows.read, drafts.len(), created, changed.len() - created);
        }
        Ok(())
    }

    async fn tell_units(&self, tx: &mut Tx, changed: &[unit::Unit]) -> Result<(), Problem> {
        let events = changed.iter().map(unit::recorded).collect::<Result<Vec<_>, _>>()?;
        messaging::append_all(tx, self.actor, &events).await?;
        Ok(())
    }

    async fn inspectors(&mut self, tx: &mut Tx, rows: Rows<read::InspectorRow>, there: bool) -> Result<(), Problem> {
        if !there {
            return Ok(());
        }
        let mut known = inspector::store::ids_by_number(tx).await?;
        let drafts = resolve::inspectors(&self.tree, &mut known, rows.good, self.ids, &mut self.rejected);
        let (grade, hours) = (rows.columns.contains("级别"), rows.columns.contains("年度培训学时"));
        let changed = inspector::store::upsert(tx, &drafts, grade, hours, self.today).await?;
        let events: Vec<_> = changed.iter().map(inspector::recorded).collect();
        messaging::append_all(tx, self.actor, &events).await?;
        let created = changed.iter().filter(|inspector| inspector.version == 1).count();
        self.tally(Table::Inspectors, rows.read, drafts.len(), created, changed.len() - created);
        Ok(())
    }

    async fn accounts(&mut self, tx: &mut Tx, rows: Rows<read::AccountRow>) -> Result<(), Problem> {
        let units = unit::store::ids_by_key(tx).await?;
        let named: Vec<Uuid> =
            rows.good.iter().filter_map(|row| units.get(row.data.unit.as_deref()?).copied()).collect();
        let unit_areas = unit::store::areas_of(tx, &named).await?;
        let persons = inspector::store::ids_by_number(tx).await?;
        let known = account::store::known(tx).await?;
        let facts = resolve::AccountFacts {
            tree: &self.tree,
            units: &units,
            unit_areas: &unit_areas,
            persons: &persons,
            known: &known,
        };
        let drafts = resolve::accounts(&facts, rows.good, self.ids, &mut self.rejected);
        let (email, language) = (rows.columns.contains("邮箱"), rows.columns.contains("语言"));
        let changed = account::store::upsert(tx, &drafts, email, language, self.today).await?;
        let events: Vec<_> = changed.iter().map(account::recorded).collect();
        messaging::append_all(tx, self.actor, &events).await?;
        let created = changed.iter().filter(|account| account.version == 1).count();
        self.tally(Table::Accounts, rows.read, drafts.len(), created, changed.len() - created);
        Ok(())
    }
}
