package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"bulkhead/internal/cache"
	"bulkhead/report"
)

// cacheFolder returns the folder of the cache, and whether the user named it: by
// the flag, or in BULKHEAD_CACHE. The error says that the system has no place for
// caches.
func cacheFolder(flag string) (dir string, named bool, err error) {
	if dir = flag; dir == "" {
		dir = os.Getenv("BULKHEAD_CACHE")
	}
	if dir != "" {
		return dir, true, nil
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", false, fmt.Errorf("cache: %w; name a folder by --cache or BULKHEAD_CACHE", err)
	}
	return filepath.Join(user, "bulkhead"), false, nil
}

// cacheSchema names the JSON form of the list.
const cacheSchema = "bulkhead/cache/v1"

// cacheList is what a cache holds, in JSON.
type cacheList struct {
	Schema  string        `json:"schema"`
	Folder  string        `json:"folder"`
	Limit   int64         `json:"limit"` // bytes
	Bytes   int64         `json:"bytes"` // of all entries
	Entries []cache.Entry `json:"entries"`
}

func newCache() *cobra.Command {
	var folder string
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "List or empty the cache of earlier results",
		Long: `What a capture shows is kept in a cache, so that one that has not changed is not
read again. It holds who talked to whom, and no payload; nothing but speed is lost
by emptying it. It is bounded: results that were used longest ago make room.

The folder is that of --cache, else of BULKHEAD_CACHE, else bulkhead in the user's
cache folder. --no-cache of the commands that read captures switches it off.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&folder, "cache", "", "the folder of earlier results (default: $BULKHEAD_CACHE, or bulkhead in the user's cache folder)")
	cmd.AddCommand(newCacheList(&folder), newCacheClear(&folder), newCachePath(&folder))
	return cmd
}

func newCacheList(folder *string) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the results that are kept, last used first",
		Example: "  bulkhead cache list\n  bulkhead cache list --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			dir, _, err := cacheFolder(*folder)
			if err != nil {
				return err
			}
			entries, err := cache.List(dir)
			if err != nil {
				return fmt.Errorf("cache %q: %w", dir, plain(err))
			}
			list := cacheList{Schema: cacheSchema, Folder: dir, Limit: cache.Limit, Entries: entries}
			for _, e := range entries {
				list.Bytes += e.Bytes
			}
			out := cmd.OutOrStdout()
			if format == "json" {
				if list.Entries == nil {
					list.Entries = []cache.Entry{}
				}
				return report.JSON(out, list)
			}
			for _, e := range entries {
				path := "-" // not remembered
				if e.Path != "" {
					path = fmt.Sprintf("%q", e.Path) // whoever named it may be a stranger
				}
				if _, err := fmt.Fprintf(out, "%s  %8s  %s  %s\n", e.Capture[:12], size(e.Bytes), e.Used.Format(time.DateTime+"Z"), path); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(out, "%s, %s of at most %s\n", count(len(entries), "result", "results"), size(list.Bytes), size(cache.Limit))
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func newCacheClear(folder *string) *cobra.Command {
	return &cobra.Command{
		Use:   "clear",
		Short: "Remove all results that are kept",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, _, err := cacheFolder(*folder)
			if err != nil {
				return err
			}
			n, err := cache.Clear(dir)
			if err != nil {
				return fmt.Errorf("cache %q: %w", dir, plain(err))
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "removed %s from %s\n", count(n, "result", "results"), dir)
			return nil
		},
	}
}

func newCachePath(folder *string) *cobra.Command {
	return &cobra.Command{
		Use:   "path",
		Short: "Print the cache's folder",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, _, err := cacheFolder(*folder)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), dir)
			return err
		},
	}
}
