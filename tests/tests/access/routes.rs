//! The table of decisions.

use access::Action;
use http::Method;

/// What a route is about, and so whom it must refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Everyone, also without a token.
    Public,
    /// Everyone with such a role, wherever: nothing in it belongs to anybody.
    Open,
    /// The installation as a whole.
    Installation,
    /// A list that shows what the scope reaches and nothing else.
    List,
    /// Figures or a file over what the scope reaches.
    Sum,
    /// One thing: who reaches it gets through, nobody else.
    Thing,
    /// One thing, and the service asks for more than the scope: the office that supervises, or the group.
    Team,
    /// Something new, which must lie within the scope.
    Create,
    /// What belongs to the account alone.
    Own,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Route {
    /// Service, method, path, action: as the service lists it.
    pub line: String,
    /// Service.
    pub service: String,
    /// Method.
    pub method: Method,
    /// Path with its parameters in braces.
    pub path: String,
    /// Action; none when public.
    pub action: Option<Action>,
    /// The decision.
    pub decision: Decision,
}

/// The table.
pub fn all() -> Vec<Route> {
    include_str!("routes.txt")
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [service, method, path, action, decision] = words[..] else { panic!("five words: {line}") };
            Route {
                line: format!("{service} {method} {path} {action}"),
                service: service.to_owned(),
                method: method.parse().unwrap(),
                path: path.to_owned(),
                action: (action != "public").then(|| action.parse().unwrap()),
                decision: match decision {
                    "public" => Decision::Public,
                    "open" => Decision::Open,
                    "installation" => Decision::Installation,
                    "list" => Decision::List,
                    "sum" => Decision::Sum,
                    "thing" => Decision::Thing,
                    "team" => Decision::Team,
                    "create" => Decision::Create,
                    "own" => Decision::Own,
                    other => panic!("no decision: {other}"),
                },
            }
        })
        .collect()
}
