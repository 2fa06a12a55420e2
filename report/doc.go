// Package report writes what the other packages found for people and programs.
//
// [JSON] writes the three contracts, bulkhead/assessment/v1,
// bulkhead/observations/v1 and bulkhead/explanation/v1, as they stand in their
// types. [Text] writes an
// assessment for a person, the breaches first; [ObservationsText],
// [DiagnosticsText], [CheckText], [RuleText], [RequirementText], [FindingText] and
// [FlowsText] do the like for the other commands.
//
// A report never says that a plant is compliant: traffic refutes, it never proves.
// The strongest good news is that no contradiction was seen, on how many of the
// conduits that could be observed, and for how long.
//
// Text comes from packets and models, which are hostile: whatever could move a
// terminal's cursor, colour its output or turn the direction of writing is shown
// escaped, long text is cut, and every list is bounded and says what it leaves
// out. The same value gives the same bytes.
package report
