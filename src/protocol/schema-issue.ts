/** The first complaint of a schema as a sentence: where, and what. */
export function describeIssue(error: {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}): string {
  const [issue] = error.issues;
  const place = issue?.path.map(String).join(".") ?? "";
  return place === "" ? (issue?.message ?? "") : `${place}: ${issue?.message ?? ""}`;
}
