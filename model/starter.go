package model

import _ "embed"

// Starter is a small model in which comments explain each section: what a new
// model begins as.
//
//go:embed starter.yaml
var Starter string

// JSONSchema is the JSON Schema (draft-07) of model files, for editors. It sees
// names, kinds and values, and nothing that one part of a model says of another:
// what it accepts Load may still reject, never the other way round.
//
//go:embed bulkhead.schema.json
var JSONSchema []byte
