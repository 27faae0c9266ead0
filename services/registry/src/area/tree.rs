//! Where an area lies: the tree of codes that an import leads to.

use std::collections::HashMap;

use contracts::registry::AreaLevel;
use jiff::civil::Date;
use problem::Text;
use uuid::Uuid;

/// One node, by code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub area_id: Uuid,
    pub name: String,
    pub level: AreaLevel,
    pub parent: Option<String>,
    pub effective_on: Date,
}

/// The tree, by code.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    nodes: HashMap<String, Node>,
}

/// A place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    /// Areas from the province down.
    pub path: Vec<Uuid>,
    /// The county unit on the way.
    pub county: Option<Uuid>,
}

/// Why a node cannot stand where it wants to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misplaced {
    /// Its parent is not there: perhaps a later row brings it.
    NoParent,
    /// It can never stand there; the column that says so, and why.
    Never(&'static str, Text),
}

impl Tree {
    pub(crate) fn insert(&mut self, code: String, node: Node) {
        self.nodes.insert(code, node);
    }

    pub(crate) fn get(&self, code: &str) -> Option<&Node> {
        self.nodes.get(code)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Node)> {
        self.nodes.iter()
    }

    /// The province.
    pub(crate) fn root(&self) -> Option<(&String, &Node)> {
        self.nodes.iter().find(|(_, node)| node.level == AreaLevel::Province)
    }

    /// Whether a node may stand below its parent: districts below county units, those below the one province.
    pub(crate) fn check(&self, code: &str, level: AreaLevel, parent: Option<&str>) -> Result<(), Misplaced> {
        if let Some(known) = self.get(code)
            && known.level != level
        {
            return Err(Misplaced::Never(
                "层级",
                Text::new(
                    "已登记区划的层级不能更改；请使用新的代码登记",
                    "the level of a recorded area cannot change; record it under a new code",
                ),
            ));
        }
        let above = match level {
            AreaLevel::Province => {
                return match self.root() {
                    Some((root, _)) if root != code => Err(Misplaced::Never(
                        "代码",
                        Text::new(
                            format!("本系统的省级区划为 {root}，不能再导入另一个省"),
                            format!("this installation's province is {root}; a second one cannot be imported"),
                        ),
                    )),
                    Some(_) | None => Ok(()),
                };
            }
            AreaLevel::CountyUnit => AreaLevel::Province,
            AreaLevel::District => AreaLevel::CountyUnit,
        };
        match parent.and_then(|parent| self.get(parent)) {
            None => Err(Misplaced::NoParent),
            Some(found) if found.level == above => Ok(()),
            Some(_) => Err(Misplaced::Never(
                "上级代码",
                Text::new(
                    "上级的层级不符：市县的上级为省，区的上级为市县",
                    "the parent has the wrong level: a county unit lies in the province, a district in a county unit",
                ),
            )),
        }
    }

    /// Where a node stands; `None` when its way up does not lead to the province.
    pub(crate) fn spot(&self, code: &str) -> Option<Spot> {
        let mut path = Vec::new();
        let mut county = None;
        let mut at = self.get(code)?;
        loop {
            path.push(at.area_id);
            match at.level {
                AreaLevel::Province => break,
                AreaLevel::CountyUnit => county = Some(at.area_id),
                AreaLevel::District => {}
            }
            if path.len() > 8 {
                return None;
            }
            at = self.get(at.parent.as_deref()?)?;
        }
        path.reverse();
        Some(Spot { path, county })
    }
}
