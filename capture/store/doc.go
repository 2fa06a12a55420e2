// Package store keeps observations as a Parquet file: what leaves a site when the
// captures may not, what is judged again when the model has changed, and what
// DuckDB, Spark or pandas are asked about.
//
// [Write] makes the file and [Read] reads it back. What was written is read as
// the same value: every field of every type of package capture is carried, which
// a test holds by filling them all. Equal observations give equal bytes, since
// nothing in the file tells of the day, the machine or the order of work.
//
// A row is a conversation, a folded sum or an endpoint, told apart by the column
// "record"; operations, links and the like are lists of structures inside it. So
// one file is one table, and no question needs a join. What is said of a whole
// capture (hash, ledger, damage) stands as JSON in the file's metadata, and each
// row repeats its capture's hash and path. docs/observations.md tells the columns
// one by one.
//
// A file is as hostile as a capture. Read takes only the layout that Write
// makes. Before the library sees a byte, the footer and every page are walked and
// each length they claim is held against the file and against fixed bounds; a row
// is weighed before it becomes a value; and every enum, address, index and list
// of the value is checked. The bounds are Write's too, so that nothing is written
// that could not be read.
package store
