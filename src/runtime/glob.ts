/**
 * True when the text is as the pattern says: `*` stands for any characters, `?` for one, letters of either case. Takes
 * time in proportion to the text times the pattern, whatever a stranger calls a document.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const wanted = [...pattern.toLowerCase()];
  const given = [...text.toLowerCase()];
  let at = 0;
  let star = -1;
  let resumeAt = 0;
  for (let place = 0; place < given.length; ) {
    if (wanted[at] === "*") {
      star = at;
      at += 1;
      resumeAt = place;
    } else if (wanted[at] === "?" || (at < wanted.length && wanted[at] === given[place])) {
      at += 1;
      place += 1;
    } else if (star >= 0) {
      // The last star takes one character more.
      at = star + 1;
      resumeAt += 1;
      place = resumeAt;
    } else return false;
  }
  while (wanted[at] === "*") at += 1;
  return at === wanted.length;
}
