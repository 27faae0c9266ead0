//! Merkle trees over journal rows, in the manner of RFC 6962: leaves and nodes are hashed apart.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Hash of one leaf.
pub fn leaf_hash(content: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(content);
    hasher.finalize().into()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// Root of a list of leaf hashes; a node without a partner moves up as it is.
pub fn root(leaves: &[Hash]) -> Hash {
    let mut level = leaves.to_vec();
    if level.is_empty() {
        return Sha256::digest([]).into();
    }
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node_hash(left, right),
                [alone] => *alone,
                _ => [0; 32],
            })
            .collect();
    }
    level.first().copied().unwrap_or([0; 32])
}

/// Link of a batch to the one before: everything that the signature has to cover.
pub(crate) fn link(previous: &Hash, batch: &BatchContent) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(b"dudao-journal-batch-1");
    hasher.update(previous);
    hasher.update(batch.root);
    for number in [
        batch.batch,
        i64::from(batch.epoch),
        batch.from_tx,
        batch.below_tx,
        batch.after_position,
        batch.to_position,
        i64::from(batch.events),
    ] {
        hasher.update(number.to_be_bytes());
    }
    hasher.finalize().into()
}

/// What a batch row says of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BatchContent {
    pub(crate) batch: i64,
    pub(crate) epoch: i32,
    pub(crate) from_tx: i64,
    pub(crate) below_tx: i64,
    pub(crate) after_position: i64,
    pub(crate) to_position: i64,
    pub(crate) events: i32,
    pub(crate) root: Hash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_depends_on_every_leaf_and_on_their_order() {
        let leaves: Vec<Hash> = (0..7_u8).map(|n| leaf_hash(&[n])).collect();
        let whole = root(&leaves);
        for n in 0..leaves.len() {
            let mut changed = leaves.clone();
            changed[n] = leaf_hash(b"other");
            assert_ne!(root(&changed), whole, "leaf {n}");
        }
        let mut swapped = leaves.clone();
        swapped.swap(1, 2);
        assert_ne!(root(&swapped), whole);
        assert_ne!(root(&leaves[..6]), whole);
    }

    #[test]
    fn a_leaf_is_never_taken_for_a_node() {
        let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
        let mut joined = a.to_vec();
        joined.extend_from_slice(&b);
        assert_ne!(root(&[a, b]), leaf_hash(&joined));
    }

    #[test]
    fn known_values_of_rfc_6962_hold() {
        assert_eq!(hex::encode(root(&[])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex::encode(leaf_hash(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }
}
