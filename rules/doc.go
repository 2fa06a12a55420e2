// Package rules is the judge: it holds observations against a model and says
// where the security level achieved falls below the target.
//
// [Judge] works in steps, each in its file: conversations become flows seen
// through the model (which zones, which channel, with what outcome); each [Rule]
// looks at the flows and returns findings; findings void requirements, from
// which the levels of every zone and conduit follow (the arithmetic is
// iec62443's); then exceptions, coverage and the verdicts.
//
// A rule is a value without state: its facts (title, requirements, reasoning,
// what it cannot prove) come from the embedded table of evidence rules, its
// check is a pure function from judged flows to findings. One file holds a group
// of rules.
//
// Traffic refutes, it never proves: a finding lowers a level, nothing seen ever
// raises one. The same model and observations give the same assessment, whatever
// the order of either.
package rules
