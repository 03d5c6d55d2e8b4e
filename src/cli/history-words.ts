import type { HistoryRow } from "../protocol/job.ts";
import type { Language } from "./language.ts";

type Outcome = HistoryRow["outcome"]["outcome"];
type Spool = "client" | "server" | "auto";

/** Every word of the printed history. Times and numbers look alike in both languages. */
export interface HistoryWords {
  readonly title: string;
  readonly made: string;
  readonly filters: Readonly<
    Record<"printer" | "client" | "source" | "sentBy" | "outcome" | "from" | "to" | "text" | "job", string>
  >;
  readonly fields: Readonly<
    Record<
      | "requested"
      | "output"
      | "ended"
      | "client"
      | "printer"
      | "document"
      | "source"
      | "evidence"
      | "paper"
      | "job"
      | "reason"
      | "decided",
      string
    >
  >;
  readonly outcomes: Readonly<Record<Outcome, string>>;
  readonly evidence: Readonly<Record<HistoryRow["outcome"]["evidence"], string>>;
  readonly resolutions: Readonly<Record<NonNullable<HistoryRow["resolution"]>, string>>;
  readonly spools: Readonly<Record<Spool, string>>;
  readonly nobody: string;
  readonly empty: string;
  readonly older: (shown: number) => string;
  readonly paper: (pages: number, dots: number, mm: number | undefined) => string;
  readonly totals: Readonly<
    Record<"title" | "jobs" | "pages" | "paper" | "fromClient" | "fromServer" | "takenOver", string>
  >;
}

/** Between a number and its unit: no line ends there. */
const glue = "\u00A0";

const english: HistoryWords = {
  title: "PRINT HISTORY",
  made: "Made",
  filters: {
    printer: "Printer",
    client: "Client",
    source: "Chosen",
    sentBy: "Sent by",
    outcome: "Outcome",
    from: "From",
    to: "Until",
    text: "Title",
    job: "Job id",
  },
  fields: {
    requested: "Requested",
    output: "Output",
    ended: "Ended",
    client: "Client",
    printer: "Printer",
    document: "Document",
    source: "Source",
    evidence: "Evidence",
    paper: "Paper",
    job: "Job",
    reason: "Reason",
    decided: "Decided",
  },
  outcomes: { printed: "printed", indeterminate: "INDETERMINATE", canceled: "canceled" },
  evidence: { "process-id": "printer's answer", status: "printer's status", none: "none (time only)" },
  resolutions: {
    "assumed-printed": "taken for printed",
    reprinted: "printed again",
    dismissed: "dismissed",
    moved: "moved to another printer",
  },
  spools: { client: "client", server: "server", auto: "auto" },
  nobody: "nobody",
  empty: "Nothing has been printed yet.",
  older: (shown) => `The newest ${shown} only; older ones are not shown.`,
  paper: (pages, dots, mm) =>
    `${pages} ${pages === 1 ? "page" : "pages"}, ${dots}${glue}dots${mm === undefined ? "" : `, ${mm}${glue}mm`}`,
  totals: {
    title: "TOTAL",
    jobs: "Jobs",
    pages: "Pages printed",
    paper: "Paper printed",
    fromClient: "Sent by client",
    fromServer: "Sent by server",
    takenOver: "Taken over",
  },
};

const japanese: HistoryWords = {
  title: "印刷履歴",
  made: "作成",
  filters: {
    printer: "プリンター",
    client: "クライアント",
    source: "指定",
    sentBy: "送信元",
    outcome: "結果",
    from: "開始",
    to: "終了",
    text: "件名",
    job: "ジョブID",
  },
  fields: {
    requested: "受付",
    output: "出力",
    ended: "終了",
    client: "依頼元",
    printer: "印刷機",
    document: "文書日付",
    source: "送信元",
    evidence: "完了確認",
    paper: "用紙",
    job: "ジョブ",
    reason: "理由",
    decided: "処置",
  },
  outcomes: { printed: "印刷済", indeterminate: "要確認", canceled: "取消" },
  evidence: { "process-id": "印刷機の応答", status: "印刷機の状態", none: "なし(時間のみ)" },
  resolutions: {
    "assumed-printed": "印刷済とみなす",
    reprinted: "再印刷",
    dismissed: "対応不要",
    moved: "別の印刷機へ移動",
  },
  spools: { client: "クライアント", server: "サーバー", auto: "自動" },
  nobody: "なし",
  empty: "印刷の記録はまだありません。",
  older: (shown) => `新しい順に${shown}件のみ。以前の記録は省略。`,
  paper: (pages, dots, mm) => `${pages}ページ ${dots}ドット${mm === undefined ? "" : ` ${mm}mm`}`,
  totals: {
    title: "合計",
    jobs: "件数",
    pages: "印刷ページ数",
    paper: "印刷した用紙",
    fromClient: "クライアントから送信",
    fromServer: "サーバーから送信",
    takenOver: "送信元の交代",
  },
};

export const historyWords: Readonly<Record<Language, HistoryWords>> = { en: english, ja: japanese };
