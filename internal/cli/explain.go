package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bulkhead/model"
	"bulkhead/report"
	"bulkhead/rules"
	"bulkhead/rules/iec62443"
)

func newExplain() *cobra.Command {
	var reading reading
	var modelPath, flow, format, asOf string
	cmd := &cobra.Command{
		Use:   "explain RULE|REQUIREMENT|FINDING|--flow CLIENT,SERVER[:PORT] [--model MODEL [INPUT...]]",
		Short: "Say what a rule looks at, which rules touch a requirement, or why a finding or flow is judged as it is",
		Long: `explain says what an evidence rule looks at and cannot prove, or which rules touch
a requirement. With a model it proves a finding that verify made of it: the rule,
the line of the model, what is void, and each capture with its hash, frames and
Wireshark filter. Or it says of a flow where its ends are by the model, what
permits or denies it, what became of it, and where it was seen.

A finding is named as verify names it. The ends of a flow are addresses, or
assets such as z-ops/hist-1; all flows from one to the other are explained, or
those to PORT. Without inputs, findings and flows are those of the captures that
the model's taps name.

` + inputHelp,
		Example: `  bulkhead explain EV-002
  bulkhead explain "SR 5.2 RE(1)"
  bulkhead explain SR 5.2
  bulkhead explain EV-002:c3 --model plant.yaml
  bulkhead explain EV-002:c3 --model plant.yaml plant.parquet
  bulkhead explain --flow 10.30.3.20,10.30.1.11:502 --model plant.yaml
  bulkhead explain --flow z-ops/hist-1,z-bpcs/plc-1 --model plant.yaml monday.pcapng`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && !cmd.Flags().Changed("flow") {
				return errors.New("expected a rule, a requirement, a finding, or --flow")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			ofFlow := cmd.Flags().Changed("flow")
			if !cmd.Flags().Changed("model") {
				if ofFlow {
					return fmt.Errorf("--flow %q: name the model that judges it with --model", flow)
				}
				return explainFact(cmd.OutOrStdout(), strings.Join(args, " "), format)
			}
			var show func(*model.Model, *rules.Assessment) error
			out := cmd.OutOrStdout()
			opts := textOptions(out)
			opts.Line = modelLines(modelPath)
			inputs := args
			if ofFlow {
				name, err := parseFlowName(flow)
				if err != nil {
					return err
				}
				show = func(m *model.Model, a *rules.Assessment) error { return explainFlows(out, m, a, name, format, opts) }
			} else {
				id := args[0]
				if err := checkFindingID(id); err != nil {
					return err
				}
				inputs = args[1:]
				show = func(m *model.Model, a *rules.Assessment) error { return explainFinding(out, m, a, id, format, opts) }
			}
			m, seen, a, err := assess(cmd, append([]string{modelPath}, inputs...), &reading, nil, asOf)
			if err != nil {
				return err
			}
			short := seen.incomplete(cmd.ErrOrStderr())
			if err := show(m, a); err != nil {
				return err
			}
			return short
		},
	}
	f := cmd.Flags()
	f.StringVar(&modelPath, "model", "", "the model that judges: needed for a finding and a flow")
	f.StringVar(&flow, "flow", "", "the flows from CLIENT to SERVER, or to its PORT: addresses or assets, an IPv6 address before :PORT in brackets")
	f.StringVar(&format, "format", "text", "text or json, on standard output")
	f.StringVar(&asOf, "as-of", "", "the day YYYY-MM-DD on which exceptions and reviews are judged (default: SOURCE_DATE_EPOCH, or today)")
	reading.flags(cmd)
	return cmd
}

// explainFact explains what needs no model: a rule or a requirement.
func explainFact(out io.Writer, name, format string) error {
	rule, isRule := rules.Explain(strings.ToUpper(name))
	req, isRequirement := iec62443.Lookup(name)
	switch {
	case isRule && format == "json":
		return report.JSON(out, report.ExplainRule(rule))
	case isRule:
		return report.RuleText(out, rule, textOptions(out))
	case isRequirement && format == "json":
		return report.JSON(out, report.ExplainRequirement(req, rules.Touching(req.ID)))
	case isRequirement:
		return report.RequirementText(out, req, rules.Touching(req.ID), textOptions(out))
	}
	if id, _, ok := strings.Cut(name, ":"); ok {
		if _, ok := rules.Explain(strings.ToUpper(id)); ok {
			return fmt.Errorf("%q is a finding: name the model that it was found by with --model", name)
		}
	}
	if near := nearestID(name); near != "" {
		return fmt.Errorf("%q: no evidence rule or requirement has this name; did you mean %q?", name, near)
	}
	return fmt.Errorf("%q: expected an evidence rule such as EV-002 or a requirement such as \"SR 5.2 RE(1)\"", name)
}

// checkFindingID says before anything is read that a name can be no finding's. That
// of a rule is let through: the answer names its findings.
func checkFindingID(name string) error {
	id, _, _ := strings.Cut(name, ":")
	if _, ok := rules.Explain(strings.ToUpper(id)); ok {
		return nil
	}
	if near := nearestAmong(id, rules.Known()); near != "" {
		return fmt.Errorf("%q: no evidence rule %q is known; did you mean %q?", name, id, near+strings.TrimPrefix(name, id))
	}
	return fmt.Errorf("%q: expected a finding's id such as EV-002:ZONE, as verify prints it; a rule or a requirement is explained without --model", name)
}

// explainFinding writes the proof of the finding that has an id.
func explainFinding(out io.Writer, m *model.Model, a *rules.Assessment, id, format string, opts report.Options) error {
	i := slices.IndexFunc(a.Findings, func(f rules.Finding) bool { return f.ID == id })
	if i < 0 {
		return noFinding(a, id)
	}
	x := report.ExplainFinding(m, a, &a.Findings[i], opts.Line)
	if format == "json" {
		return report.JSON(out, x)
	}
	return report.FindingText(out, x, opts)
}

// noFinding says that no finding has an id, and which ones come near: the one of
// the same rule that is spelt nearly so, else all of that rule, else those on the
// same subject.
func noFinding(a *rules.Assessment, id string) error {
	var ofRule, sameRule, sameSubject []string
	rule, subject, _ := strings.Cut(id, ":")
	for _, f := range a.Findings {
		if strings.EqualFold(f.Rule, rule) {
			ofRule = append(ofRule, f.ID)
			sameRule = append(sameRule, fmt.Sprintf("%q", f.ID))
		}
		if subject != "" && strings.EqualFold(f.Subject.ID, subject) {
			sameSubject = append(sameSubject, fmt.Sprintf("%q", f.ID))
		}
	}
	near := nearestAmong(id, ofRule)
	hint := ""
	switch {
	case near != "":
		hint = fmt.Sprintf("; did you mean %q?", near)
	case len(sameRule) > 0:
		hint = fmt.Sprintf("; of this rule there is %s", some(sameRule))
	case len(sameSubject) > 0:
		hint = fmt.Sprintf("; on this subject there is %s", some(sameSubject))
	}
	return fmt.Errorf("%q: no finding has this id%s (bulkhead verify %s lists them all)", id, hint, a.Model.Path)
}

// nearestID returns the rule or requirement whose ID is meant by name: one that
// differs in spacing, case, punctuation or leading zeros only, or else by one letter
// or digit; "" if there is none.
func nearestID(name string) string {
	ids := rules.Known()
	for _, r := range iec62443.Catalogue() {
		ids = append(ids, r.ID)
	}
	return nearestAmong(name, ids)
}

// nearestAmong is nearestID of some IDs.
func nearestAmong(name string, ids []string) string {
	near := ""
	for _, id := range ids {
		switch {
		case bare(name) == bare(id):
			return id
		case near == "" && oneEdit(strings.ToUpper(name), strings.ToUpper(id)):
			near = id
		}
	}
	return near
}

// bare returns the letters and numbers of an ID alone, the numbers without leading
// zeros and apart from each other.
func bare(id string) string {
	var b strings.Builder
	number, digits := false, 0
	for _, r := range strings.ToUpper(id) {
		switch {
		case '0' <= r && r <= '9':
			if !number {
				b.WriteByte(' ')
				number, digits = true, 0
			}
			if r != '0' || digits > 0 {
				b.WriteRune(r)
				digits++
			}
		case 'A' <= r && r <= 'Z':
			b.WriteRune(r)
			number = false
		default:
			number = false
		}
	}
	return b.String()
}

// oneEdit reports whether one byte inserted, deleted or replaced, or two neighbours
// swapped, make b of a.
func oneEdit(a, b string) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	swapped := len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
	return max(len(a), len(b)) <= 1 || swapped
}
