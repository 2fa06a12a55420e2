// Package model reads the YAML that declares a plant and freezes it into one
// validated, immutable [Model].
//
// [Load] is the way in. It reads the model file and what it includes from an
// fs.FS, so that no include can leave the model's folder, gathers every problem
// in one run as [Diagnostic] values with file, line and column, and hands out a
// Model only if none of them is an error. Nothing but this package imports YAML.
//
// What is optional and missing stays visibly missing (nil, "", AnyVLAN): rules
// that need it say so instead of guessing.
package model
