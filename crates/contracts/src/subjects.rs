//! Names on the broker. No other place spells a subject or a stream.

/// The services that own a stream of events.
pub const SERVICES: [&str; 7] =
    ["registry", "tasks", "deadlines", "reporting", "notifications", "publication", "exchange"];

/// The service that owns an event type: its first word.
pub fn owner(event_type: &str) -> &str {
    event_type.split('.').next().unwrap_or(event_type)
}

/// Name of the stream that keeps a service's events, for instance `TASKS`.
///
/// `prefix` separates installations (and tests) that share one broker; it may be empty.
pub fn stream(prefix: &str, service: &str) -> String {
    let service = service.to_uppercase();
    if prefix.is_empty() { service } else { format!("{}_{service}", prefix.to_uppercase()) }
}

/// Subject of an event type below the installation's prefix.
pub fn subject(prefix: &str, event_type: &str) -> String {
    if prefix.is_empty() { event_type.to_owned() } else { format!("{prefix}.{event_type}") }
}

/// Subject filter for everything that one service publishes.
pub fn all_of(prefix: &str, service: &str) -> String {
    subject(prefix, &format!("{service}.>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_installation_prefix() {
        assert_eq!(stream("", "tasks"), "TASKS");
        assert_eq!(stream("t1", "tasks"), "T1_TASKS");
        assert_eq!(subject("t1", "tasks.letter.issued.v1"), "t1.tasks.letter.issued.v1");
        assert_eq!(all_of("", "tasks"), "tasks.>");
        assert_eq!(owner("tasks.letter.issued.v1"), "tasks");
    }
}
