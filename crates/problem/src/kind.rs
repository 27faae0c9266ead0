//! The catalogue of problem types.

use http::StatusCode;

use crate::Text;

/// What every problem type URI begins with; the slug follows.
pub const PROBLEM_BASE: &str = "https://dudao.example/problems/";

macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:ident, $zh:literal, $en:literal;
        $advice_zh:literal, $advice_en:literal;)+) => {
        /// A type of problem (问题类型): the whole catalogue of the system, one variant per URI.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemKind { $($(#[$doc])* $name,)+ }

        impl ProblemKind {
            /// Every kind, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The last segment of the type URI, in kebab-case.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)+ }
            }

            /// The HTTP status that goes with this kind.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// The short summary; the same for every occurrence.
            pub fn title(self) -> Text {
                match self { $(Self::$name => Text::new($zh, $en),)+ }
            }

            /// What the reader can do, when the occurrence has nothing more precise to say.
            pub fn advice(self) -> Text {
                match self { $(Self::$name => Text::new($advice_zh, $advice_en),)+ }
            }
        }
    };
}

problem_kinds! {
    /// The body is not well-formed (JSON syntax, multipart framing).
    MalformedBody = "malformed-body", BAD_REQUEST, "请求体无法解析", "The request body cannot be read";
        "请检查请求体的格式。", "Check the format of the request body.";
    /// A query or path parameter or a header does not parse.
    InvalidParameters = "invalid-parameters", BAD_REQUEST, "请求参数不正确", "The request parameters are not valid";
        "请检查地址中的参数和请求头。", "Check the parameters in the address and the request headers.";
    /// A POST without `Idempotency-Key`.
    IdempotencyKeyMissing = "idempotency-key-missing", BAD_REQUEST, "缺少幂等键", "The idempotency key is missing";
        "请在请求头 Idempotency-Key 中给出一个唯一的值。", "Send a unique value in the Idempotency-Key header.";
    /// No valid token.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "尚未登录", "Not signed in";
        "请先登录。", "Sign in first.";
    /// The caller is known but may not do this.
    Forbidden = "forbidden", FORBIDDEN, "没有权限", "Not permitted";
        "您没有进行此项操作的权限。", "You do not have the permission for this action.";
    /// Nothing has this address or id.
    UnknownResource = "unknown-resource", NOT_FOUND, "找不到对象", "Not found";
        "您访问的对象不存在。", "There is nothing at this address.";
    /// The address exists, the method does not.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "不支持此请求方法", "Method not allowed";
        "此地址不支持该请求方法。", "This address does not support the request method.";
    /// The request did not arrive or finish in time.
    RequestTimeout = "request-timeout", REQUEST_TIMEOUT, "请求超时", "Request timeout";
        "请求未能在规定时间内完成，请重试。", "The request did not finish in time; try again.";
    /// The state of the matter does not allow the step; `current_state` names it.
    StateRefuses = "state-refuses", CONFLICT, "当前状态不允许此操作", "The current state does not allow this";
        "请刷新后查看当前状态。", "Reload to see the current state.";
    /// Something with this identity is there already.
    AlreadyExists = "already-exists", CONFLICT, "对象已存在", "Already exists";
        "相同的对象已经存在。", "The same object exists already.";
    /// Two steps that two different persons must take (职责分离): who reports does not verify.
    SeparationOfDuties = "separation-of-duties", CONFLICT, "须由不同人员办理", "Must be done by a different person";
        "报告人与核验人、提出人与审批人不得为同一人。", "Reporter and verifier, proposer and approver must be different persons.";
    /// The first request with this idempotency key is still running.
    IdempotencyKeyInUse = "idempotency-key-in-use", CONFLICT, "相同请求正在处理", "The same request is in progress";
        "相同幂等键的请求正在处理，请稍后重试。", "A request with the same idempotency key is in progress; try again shortly.";
    /// The idempotency key was used with another request.
    IdempotencyKeyReused = "idempotency-key-reused", UNPROCESSABLE_ENTITY, "幂等键已用于其他请求", "The idempotency key was used for another request";
        "请为新的请求使用新的幂等键。", "Use a new idempotency key for a new request.";
    /// `If-Match` names a version that is no longer the current one.
    StaleVersion = "stale-version", PRECONDITION_FAILED, "数据已被他人修改", "The data has changed meanwhile";
        "请重新读取最新版本后再提交。", "Read the current version and submit again.";
    /// A change without `If-Match`.
    PreconditionRequired = "precondition-required", PRECONDITION_REQUIRED, "缺少版本条件", "A version is required";
        "请在请求头 If-Match 中给出所依据的版本。", "Send the version the change is based on in the If-Match header.";
    /// The body exceeds the limit.
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "请求体过大", "The request body is too large";
        "请减小文件或内容后重试。", "Send a smaller file or text.";
    /// A content type that is not read here.
    UnsupportedMedia = "unsupported-media", UNSUPPORTED_MEDIA_TYPE, "不支持的内容类型", "Unsupported media type";
        "请检查请求头 Content-Type。", "Check the Content-Type header.";
    /// Fields that are well-formed but not acceptable; `errors` lists them.
    InvalidFields = "invalid-fields", UNPROCESSABLE_ENTITY, "填写内容有误", "Some fields are not valid";
        "请按照提示修改后重新提交。", "Correct the fields named and submit again.";
    /// An uploaded file that was refused: wrong type, unreadable, dangerous.
    RejectedFile = "rejected-file", UNPROCESSABLE_ENTITY, "文件未被接受", "The file was rejected";
        "请检查文件的类型和内容。", "Check the type and content of the file.";
    /// The caller asks too often.
    TooManyRequests = "too-many-requests", TOO_MANY_REQUESTS, "请求过于频繁", "Too many requests";
        "请稍后重试。", "Try again later.";
    /// Our own fault. The answer says nothing of the inside.
    Internal = "internal", INTERNAL_SERVER_ERROR, "系统内部错误", "Internal error";
        "系统出现错误，已记录。请稍后重试或联系管理员。", "Something went wrong on our side and was recorded. Try again later or tell the administrator.";
    /// Another system that we need gave a wrong answer.
    BadGateway = "bad-gateway", BAD_GATEWAY, "外部系统应答异常", "Another system answered wrongly";
        "请稍后重试。", "Try again later.";
    /// Not at this moment; waiting helps (`Retry-After`).
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "服务暂不可用", "Temporarily unavailable";
        "请稍后重试。", "Try again later.";
    /// Another system that we need did not answer in time.
    GatewayTimeout = "gateway-timeout", GATEWAY_TIMEOUT, "外部系统应答超时", "Another system did not answer in time";
        "请稍后重试。", "Try again later.";
}

impl ProblemKind {
    /// The absolute URI that identifies this kind.
    pub fn uri(self) -> String {
        format!("{PROBLEM_BASE}{}", self.slug())
    }

    /// The kind for a bare status from the framework; `None` below 400. A client error that has no
    /// entry of its own counts as invalid parameters, a server error as internal.
    pub(crate) fn of_status(status: StatusCode) -> Option<Self> {
        let kind = match status {
            StatusCode::BAD_REQUEST => Self::MalformedBody,
            StatusCode::UNPROCESSABLE_ENTITY => Self::InvalidFields,
            StatusCode::CONFLICT => Self::StateRefuses,
            _ if status.is_client_error() || status.is_server_error() => {
                let known = Self::ALL.iter().find(|kind| kind.status() == status);
                match known {
                    Some(kind) => *kind,
                    None if status.is_client_error() => Self::InvalidParameters,
                    None => Self::Internal,
                }
            }
            _ => return None,
        };
        Some(kind)
    }
}
