//! The words of the pages about documents in three languages. A language that lacks a word does not compile.

use contracts::shared::VoidCause;
use documents::Kind;
use domain::local_time::date_zh;
use jiff::civil::Date;

/// A language of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Lang {
    /// Simplified Chinese.
    #[default]
    ZhHans,
    /// Traditional Chinese.
    ZhHant,
    /// English.
    En,
}

impl Lang {
    pub(super) const ALL: [Self; 3] = [Self::ZhHans, Self::ZhHant, Self::En];

    /// The language of a tag; what is unknown is read as the first.
    pub(super) fn of(tag: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|lang| Some(lang.tag()) == tag).unwrap_or_default()
    }

    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::ZhHans => "zh-Hans",
            Self::ZhHant => "zh-Hant",
            Self::En => "en",
        }
    }

    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::ZhHans => &ZH_HANS,
            Self::ZhHant => &ZH_HANT,
            Self::En => &EN,
        }
    }

    /// A day in words.
    pub(super) fn day(self, day: Date) -> String {
        match self {
            Self::ZhHans | Self::ZhHant => date_zh(day),
            Self::En => day.to_string(),
        }
    }

    /// The name of a kind of document.
    pub(super) fn kind(self, kind: Kind) -> &'static str {
        let (hant, en) = match kind {
            Kind::Plan => ("年度督導計劃", "Annual supervision plan"),
            Kind::SupervisionNotification => ("督導通知書", "Notice of supervision"),
            Kind::PreliminaryOpinion => ("初步督導意見", "Preliminary opinion"),
            Kind::OpinionLetter => ("督導意見書", "Supervision opinion letter"),
            Kind::RectificationNotice => ("整改通知書", "Rectification notice"),
            Kind::UrgingOrder => ("督辦單", "Supervision notice (urging order)"),
            Kind::InterviewNotice => ("約談通知書", "Interview notice"),
            Kind::Circular => ("通報", "Circular"),
            Kind::AcceptanceOpinion => ("整改驗收意見", "Opinion on acceptance"),
            Kind::ClosingApproval => ("銷號審批表", "Approval of closing"),
            Kind::SupervisionReport => ("督導報告", "Supervision report"),
        };
        match self {
            Self::ZhHans => kind.zh(),
            Self::ZhHant => hant,
            Self::En => en,
        }
    }

    /// Why a document was voided.
    pub(super) fn cause(self, cause: VoidCause) -> &'static str {
        let [simplified, traditional, english] = match cause {
            VoidCause::WrongContent => ["内容有误", "內容有誤", "its content was wrong"],
            VoidCause::IssuedInError => ["误制误发", "誤製誤發", "it was issued in error"],
            VoidCause::CircumstancesChanged => ["情况变化", "情況變化", "circumstances have changed"],
        };
        match self {
            Self::ZhHans => simplified,
            Self::ZhHant => traditional,
            Self::En => english,
        }
    }
}

/// Around and on the page.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) tag: &'static str,
    /// The language's own name.
    pub(super) name: &'static str,
    pub(super) skip: &'static str,
    pub(super) nav: &'static str,
    pub(super) nav_list: &'static str,
    pub(super) nav_verify: &'static str,
    pub(super) nav_about: &'static str,
    pub(super) languages: &'static str,
    pub(super) operator: &'static str,
    pub(super) privacy: &'static str,

    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) code: &'static str,
    pub(super) code_hint: &'static str,
    pub(super) look_up: &'static str,
    pub(super) another: &'static str,
    pub(super) malformed: &'static str,
    pub(super) unknown: &'static str,
    pub(super) unknown_advice: &'static str,

    pub(super) genuine: &'static str,
    pub(super) genuine_advice: &'static str,
    pub(super) void: &'static str,
    pub(super) void_advice: &'static str,
    pub(super) replaced: &'static str,
    pub(super) replaced_advice: &'static str,
    pub(super) doc_no: &'static str,
    pub(super) kind: &'static str,
    pub(super) doc_title: &'static str,
    pub(super) agency: &'static str,
    pub(super) issued_on: &'static str,
    pub(super) voided_on: &'static str,
    pub(super) cause: &'static str,
    pub(super) replaced_by: &'static str,
    pub(super) sha256: &'static str,
    pub(super) closed_note: &'static str,

    pub(super) check: &'static str,
    pub(super) check_lead: &'static str,
    pub(super) choose: &'static str,
    pub(super) drop: &'static str,
    pub(super) working: &'static str,
    pub(super) matches: &'static str,
    pub(super) matches_void: &'static str,
    pub(super) matches_replaced: &'static str,
    pub(super) matches_content: &'static str,
    pub(super) differs: &'static str,
    pub(super) failed: &'static str,
    pub(super) sum: &'static str,
    pub(super) by_hand: &'static str,
    pub(super) known: &'static str,
    pub(super) none_known: &'static str,

    pub(super) full_text: &'static str,
    pub(super) save_text: &'static str,
    pub(super) documents: &'static str,
    pub(super) documents_lead: &'static str,
    pub(super) no_documents: &'static str,
    pub(super) pages: &'static str,
    pub(super) earlier: &'static str,
    pub(super) later: &'static str,
}

const ZH_HANS: Words = Words {
    tag: "zh-Hans",
    name: "简体中文",
    skip: "跳到正文",
    nav: "主导航",
    nav_list: "整改公开",
    nav_verify: "文书核验",
    nav_about: "说明与开放数据",
    languages: "语言",
    operator: "主办：",
    privacy: "本平台无需登录，不使用 Cookie，不收集访问者个人信息。",
    title: "文书核验",
    lead: "输入文书首页二维码旁的核验码，核对文书真伪和效力。",
    code: "核验码",
    code_hint: "12 位字母和数字，不分大小写，空格和横线可以省略。",
    look_up: "核验",
    another: "核验另一份文书",
    malformed: "核验码格式不正确，请对照文书首页重新输入。",
    unknown: "没有查到这个核验码",
    unknown_advice: "本平台没有登记这个核验码的文书。请先核对输入；确认无误仍查不到的，这份文书可能不真实，请向文书所列机关核实。刚刚印发的文书，请过几分钟再查。",
    genuine: "有效文书",
    genuine_advice: "这个核验码属于一份现行有效的文书。请核对文书上的文号、机关和日期与下列登记是否一致；有电子文件的，可以在下面核对文件。",
    void: "文书已作废",
    void_advice: "这份文书确由下列机关印发，但已经作废，不再有效。",
    replaced: "文书已被替代",
    replaced_advice: "这份文书确由下列机关印发，但已由另一份文书替代，请以现行文书为准。",
    doc_no: "发文字号",
    kind: "文书种类",
    doc_title: "标题",
    agency: "发文机关",
    issued_on: "印发日期",
    voided_on: "作废日期",
    cause: "作废原因",
    replaced_by: "现行文书",
    sha256: "内容校验值（SHA-256）",
    closed_note: "这份文书不属于主动公开的文书，本页不显示标题、主送单位和内容。",
    check: "核对电子文件",
    check_lead: "文件在您的浏览器中计算校验值，不会上传，也不离开您的设备。",
    choose: "选择文件",
    drop: "或者把 PDF、Word、文本文件拖到这里",
    working: "正在计算……",
    matches: "一致：这个文件就是本平台为这份文书生成的文件，一个字节都没有改动。",
    matches_void: "这个文件确是本平台为这份文书生成的文件，没有改动；但文书已经作废，不再有效。",
    matches_replaced: "这个文件确是本平台为这份文书生成的文件，没有改动；但文书已被替代，请以现行文书为准。",
    matches_content: "一致：这个文件就是这份文书印发时固定的内容数据，一个字节都没有改动。",
    differs: "不一致：这个文件不是本平台为这份文书生成的任何一个文件。它可能被改动过，可能是扫描或者另存的副本，也可能属于另一份文书。",
    failed: "无法读取这个文件，请重新选择。",
    sum: "文件校验值（SHA-256）：",
    by_hand: "浏览器没有启用脚本，或者不是以安全方式访问，不能在本页核对。您可以自行计算文件的 SHA-256 校验值，与下列校验值比对。",
    known: "本平台为这份文书生成的文件",
    none_known: "还没有生成过这份文书的电子文件。",
    full_text: "文书全文",
    save_text: "下载纯文本",
    documents: "公开文书",
    documents_lead: "督导报告、通报等主动公开的文书，印发后在此公开，按印发时间从新到旧排列。",
    no_documents: "目前还没有公开的文书。",
    pages: "分页",
    earlier: "上一页",
    later: "下一页",
};

const ZH_HANT: Words = Words {
    tag: "zh-Hant",
    name: "繁體中文",
    skip: "跳到正文",
    nav: "主導航",
    nav_list: "整改公開",
    nav_verify: "文書核驗",
    nav_about: "說明與開放數據",
    languages: "語言",
    operator: "主辦：",
    privacy: "本平臺無需登入，不使用 Cookie，不收集訪問者個人資料。",
    title: "文書核驗",
    lead: "輸入文書首頁二維碼旁的核驗碼，核對文書真偽和效力。",
    code: "核驗碼",
    code_hint: "12 位字母和數字，不分大小寫，空格和橫線可以省略。",
    look_up: "核驗",
    another: "核驗另一份文書",
    malformed: "核驗碼格式不正確，請對照文書首頁重新輸入。",
    unknown: "沒有查到這個核驗碼",
    unknown_advice: "本平臺沒有登記這個核驗碼的文書。請先核對輸入；確認無誤仍查不到的，這份文書可能不真實，請向文書所列機關核實。剛剛印發的文書，請過幾分鐘再查。",
    genuine: "有效文書",
    genuine_advice: "這個核驗碼屬於一份現行有效的文書。請核對文書上的文號、機關和日期與下列登記是否一致；有電子文件的，可以在下面核對文件。",
    void: "文書已作廢",
    void_advice: "這份文書確由下列機關印發，但已經作廢，不再有效。",
    replaced: "文書已被替代",
    replaced_advice: "這份文書確由下列機關印發，但已由另一份文書替代，請以現行文書為準。",
    doc_no: "發文字號",
    kind: "文書種類",
    doc_title: "標題",
    agency: "發文機關",
    issued_on: "印發日期",
    voided_on: "作廢日期",
    cause: "作廢原因",
    replaced_by: "現行文書",
    sha256: "內容校驗值（SHA-256）",
    closed_note: "這份文書不屬於主動公開的文書，本頁不顯示標題、主送單位和內容。",
    check: "核對電子文件",
    check_lead: "文件在您的瀏覽器中計算校驗值，不會上傳，也不離開您的設備。",
    choose: "選擇文件",
    drop: "或者把 PDF、Word、文字文件拖到這裡",
    working: "正在計算……",
    matches: "一致：這個文件就是本平臺為這份文書生成的文件，一個位元組都沒有改動。",
    matches_void: "這個文件確是本平臺為這份文書生成的文件，沒有改動；但文書已經作廢，不再有效。",
    matches_replaced: "這個文件確是本平臺為這份文書生成的文件，沒有改動；但文書已被替代，請以現行文書為準。",
    matches_content: "一致：這個文件就是這份文書印發時固定的內容數據，一個位元組都沒有改動。",
    differs: "不一致：這個文件不是本平臺為這份文書生成的任何一個文件。它可能被改動過，可能是掃描或者另存的副本，也可能屬於另一份文書。",
    failed: "無法讀取這個文件，請重新選擇。",
    sum: "文件校驗值（SHA-256）：",
    by_hand: "瀏覽器沒有啟用指令碼，或者不是以安全方式訪問，不能在本頁核對。您可以自行計算文件的 SHA-256 校驗值，與下列校驗值比對。",
    known: "本平臺為這份文書生成的文件",
    none_known: "還沒有生成過這份文書的電子文件。",
    full_text: "文書全文",
    save_text: "下載純文字",
    documents: "公開文書",
    documents_lead: "督導報告、通報等主動公開的文書，印發後在此公開，按印發時間從新到舊排列。",
    no_documents: "目前還沒有公開的文書。",
    pages: "分頁",
    earlier: "上一頁",
    later: "下一頁",
};

const EN: Words = Words {
    tag: "en",
    name: "English",
    skip: "Skip to content",
    nav: "Main navigation",
    nav_list: "Rectifications",
    nav_verify: "Verify a document",
    nav_about: "About and open data",
    languages: "Languages",
    operator: "Operated by: ",
    privacy: "This site needs no sign-in, sets no cookies and collects no personal data of its visitors.",
    title: "Verify a document",
    lead: "Enter the code that stands beside the QR code on the first page of a document, to see whether it is genuine and in force.",
    code: "Code",
    code_hint: "12 letters and digits; capitals, blanks and hyphens do not matter.",
    look_up: "Verify",
    another: "Verify another document",
    malformed: "This is not the form of a code. Compare it with the first page of the document and type it again.",
    unknown: "No document has this code",
    unknown_advice: "No document with this code is registered here. Check what you typed; if it is right, the document may not be genuine: ask the agency that it names. A document issued just now may take a few minutes to appear.",
    genuine: "Genuine and in force",
    genuine_advice: "The code belongs to a document that is in force. Compare number, agency and date on the document with what is registered below; if you have it as a file, you can check the file below.",
    void: "Voided",
    void_advice: "The agency below did issue this document, but it has been voided and is no longer in force.",
    replaced: "Replaced",
    replaced_advice: "The agency below did issue this document, but another document stands in its place; go by that one.",
    doc_no: "Number",
    kind: "Kind",
    doc_title: "Title",
    agency: "Issuing agency",
    issued_on: "Date of issue",
    voided_on: "Voided on",
    cause: "Reason",
    replaced_by: "In its place",
    sha256: "SHA-256 of its content",
    closed_note: "This document is not open to the public by itself: its title, addressee and content are not shown here.",
    check: "Check a file",
    check_lead: "Your browser computes the file's hash. The file is not uploaded and does not leave your device.",
    choose: "Choose a file",
    drop: "or drop a PDF, Word or text file here",
    working: "Computing…",
    matches: "It matches: this is a file that the platform made of this document, unchanged to the byte.",
    matches_void: "This is a file that the platform made of this document, unchanged; but the document has been voided and is no longer in force.",
    matches_replaced: "This is a file that the platform made of this document, unchanged; but another document stands in its place: go by that one.",
    matches_content: "It matches: this is the content of the document as it was frozen when it was issued, unchanged to the byte.",
    differs: "It does not match: this is none of the files that the platform made of this document. It may have been changed, be a scan or a copy saved anew, or belong to another document.",
    failed: "The file cannot be read; choose it again.",
    sum: "SHA-256 of the file: ",
    by_hand: "Your browser runs no scripts here, or the page was not reached over a secure connection, so it cannot check a file. Compute the SHA-256 of your file yourself and compare it with the values below.",
    known: "Files that the platform made of this document",
    none_known: "No file of this document has been made yet.",
    full_text: "Full text",
    save_text: "Save as plain text",
    documents: "Open documents",
    documents_lead: "Supervision reports, circulars and other documents that are open to the public, the newest first.",
    no_documents: "No open documents yet.",
    pages: "Pages",
    earlier: "Previous page",
    later: "Next page",
};
