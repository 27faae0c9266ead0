//! Single limits with their proof sheets (期限计算书).

pub(crate) mod http;
