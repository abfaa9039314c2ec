#include "operands/revision.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "io/child_process.h"
#include "io/spool.h"
#include "operands/git.h"
#include "operands/lfs.h"

namespace ckpt::operands {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 16> kSchemes = {"http",  "https", "ftp",  "file", "ssh", "git",
                                                       "s3",    "gs",    "gcs",  "hf",   "az",  "abfs",
                                                       "abfss", "hdfs",  "dbfs", "wandb"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_relative(const std::string& path) { return path.starts_with("./") || path.starts_with("../"); }

std::string spelled(const Revision& what) { return what.revision + ":" + what.path; }

bool in_index(const Revision& what) { return what.revision.empty() || what.revision.front() == ':'; }

std::string shallow_hint(const Limits& limits) {
  return ask_git({"rev-parse", "--is-shallow-repository"}, limits).out == "true"
             ? "; this clone is shallow: git fetch --unshallow gets the rest (fetch-depth: 0 in "
               "actions/checkout)"
             : "";
}

[[noreturn]] void fail_revision(const std::string& revision, const Limits& limits) {
  std::vector<std::string> names = {"HEAD"};
  const GitAnswer refs = ask_git({"for-each-ref", "--format=%(refname:short)"}, limits);
  for (std::size_t at = 0; at < refs.out.size();) {
    const std::size_t end = std::min(refs.out.find('\n', at), refs.out.size());
    names.push_back(refs.out.substr(at, end - at));
    at = end + 1;
  }
  fail(ErrorCode::kNotFound, fmt::format("no such file, and git knows no revision {}{}{}", quote(revision),
                                         did_you_mean(revision, names), shallow_hint(limits)));
}

// The object's id. It is asked for as one word that cannot begin with '-'.
std::string object_of(const Revision& what, const Limits& limits) {
  if (!in_index(what)) {
    const GitAnswer tree = ask_git({"rev-parse", "--verify", "--quiet", what.revision + "^{tree}"}, limits);
    if (tree.status == 1) fail_revision(what.revision, limits);
    if (tree.status != 0)
      fail(ErrorCode::kNotFound, fmt::format("no such file, and as a revision: {}", tree.err));
  }
  const GitAnswer object = ask_git({"rev-parse", "--verify", spelled(what)}, limits);
  // Only without --verify does git say why.
  if (object.status != 0)
    fail(ErrorCode::kNotFound, fmt::format("git: {}", ask_git({"rev-parse", spelled(what)}, limits).err));
  return object.out;
}

// From the top of the repository, as LFS takes it.
std::string path_from_top(const Revision& what, const Limits& limits) {
  if (!is_relative(what.path)) return what.path;
  const GitAnswer prefix = ask_git({"rev-parse", "--show-prefix"}, limits);
  return (fs::path(prefix.out) / what.path).lexically_normal().string();
}

std::string fetch_command(const Revision& what, const Limits& limits) {
  const std::string revision = in_index(what) ? "" : " " + shell_word(what.revision);
  return fmt::format("git lfs fetch origin{} -I {}", revision, shell_word(path_from_top(what, limits)));
}

// git cat-file --batch: for every line of its input "OID TYPE SIZE", the content and a newline.
class Batch {
 public:
  Batch(const std::string& lines, bool follow_links)
      : input_(input(lines)), child_(argv(follow_links), &input_) {}

  struct Header {
    std::string type;  // "blob", "tree"; what is wrong with a link: "dangling", "loop", ...
    std::uint64_t size = 0;
  };
  Header header() {
    std::string line;
    for (char c = '\0'; (c = next()) != '\n';) {
      line += c;
      if (line.size() > 1000) fail(ErrorCode::kIo, "git cat-file does not answer as expected");
    }
    const std::size_t first = line.find(' '), last = line.rfind(' ');
    Header out;
    if (first == last) {
      out.type = line.substr(0, first);
      return out;
    }
    out.type = line.substr(first + 1, last - first - 1);
    std::from_chars(line.data() + last + 1, line.data() + line.size(), out.size);
    return out;
  }
  void content(std::uint64_t size, io::Spool& spool) {
    while (size > 0) {
      fill();
      const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(size, ready_.size()));
      spool.write(ready_.first(part));
      ready_ = ready_.subspan(part);
      size -= part;
    }
    next();  // the newline after it
  }

 private:
  static std::vector<std::string> argv(bool follow_links) {
    std::vector<std::string> words = {"git", "cat-file", "--batch"};
    if (follow_links) words.emplace_back("--follow-symlinks");
    return words;
  }
  static io::Descriptor input(const std::string& lines) {
    io::Descriptor file = io::temporary_file();
    std::size_t done = 0;
    while (done < lines.size()) {
      const ssize_t wrote =
          ::pwrite(file.get(), lines.data() + done, lines.size() - done, static_cast<off_t>(done));
      if (wrote <= 0) fail(ErrorCode::kIo, "cannot write a temporary file");
      done += static_cast<std::size_t>(wrote);
    }
    return file;
  }
  void fill() {
    if (!ready_.empty()) return;
    ready_ = std::span(block_).first(child_.read(block_));
    if (!ready_.empty()) return;
    child_.wait();
    fail(ErrorCode::kIo, fmt::format("git cat-file ended early: {}", one_line(child_.errors())));
  }
  char next() {
    fill();
    const char c = static_cast<char>(ready_.front());
    ready_ = ready_.subspan(1);
    return c;
  }

  io::Descriptor input_;
  io::ChildProcess child_;
  std::vector<std::byte> block_ = std::vector<std::byte>(1u << 20);
  std::span<std::byte> ready_;
};

io::SourcePtr resolved(const io::SourcePtr& blob, const Revision& what, const Limits& limits) {
  const auto pointer = read_lfs_pointer(*blob);
  if (!pointer) return blob;
  return open_lfs_object(*pointer, lfs_object(*pointer, "", limits), fetch_command(what, limits));
}

struct Blob {
  std::string name, oid;
};

// The files of the folder and of the folders in it; deeper ones belong to no checkpoint.
std::vector<Blob> blobs_of(const std::string& tree, const Limits& limits) {
  const GitAnswer listing = ask_git({"ls-tree", "-r", "-z", tree}, limits);
  if (listing.status != 0) fail_git(listing);
  std::vector<Blob> blobs;
  for (std::size_t at = 0; at < listing.out.size();) {
    const std::size_t end = std::min(listing.out.find('\0', at), listing.out.size());
    const std::string entry = listing.out.substr(at, end - at);  // MODE TYPE OID<tab>NAME
    at = end + 1;
    const std::size_t tab = entry.find('\t'), oid = entry.rfind(' ', tab);
    if (tab == entry.npos || oid == entry.npos)
      fail(ErrorCode::kIo, "git ls-tree does not answer as expected");
    std::string name = entry.substr(tab + 1);
    if (std::count(name.begin(), name.end(), '/') > 1) continue;
    if (!entry.starts_with("100"))
      fail(ErrorCode::kUnsupported,
           fmt::format("{} in this folder is {}, which is not followed in a revision",
                       quote(abbreviate(name, 120)),
                       entry.starts_with("120") ? "a symbolic link" : "a submodule"));
    blobs.push_back({std::move(name), entry.substr(oid + 1, tab - oid - 1)});
    if (blobs.size() > limits.folder_files)
      fail(ErrorCode::kLimit, fmt::format("a folder with more than {} files", limits.folder_files));
  }
  return blobs;
}

Source open_tree(const Revision& what, const std::string& tree, const std::string& name,
                 const Limits& limits) {
  const std::vector<Blob> blobs = blobs_of(tree, limits);
  std::string lines;
  for (const Blob& blob : blobs) lines += blob.oid + "\n";
  Batch batch(lines, false);
  io::Spool spool(limits.spooled_bytes);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const Blob& blob : blobs) {
    const Batch::Header header = batch.header();
    if (header.type != "blob") fail(ErrorCode::kIo, fmt::format("git has no {}", quote(blob.name)));
    ranges.emplace_back(spool.size(), header.size);
    batch.content(header.size, spool);
  }
  const io::SourcePtr all = spool.finish();
  std::map<std::string, io::SourcePtr> files;
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    const Revision file{what.revision, (fs::path(what.path) / blobs[i].name).string()};
    files[blobs[i].name] = resolved(io::slice_source(all, ranges[i].first, ranges[i].second), file, limits);
  }
  return Source::of_files(std::move(files), name);
}

}  // namespace

std::optional<Revision> parse_revision(const std::string& text) {
  std::size_t depth = 0, colon = 0;  // git's own rule: a ':' within braces is the revision's
  while (colon < text.size() && (text[colon] != ':' || depth > 0)) {
    if (text[colon] == '{') ++depth;
    if (text[colon] == '}' && depth > 0) --depth;
    ++colon;
  }
  if (colon == text.size()) return std::nullopt;
  Revision out{text.substr(0, colon), text.substr(colon + 1)};
  const std::string& before = out.revision;
  if (before.empty()) {
    if (out.path.empty() || out.path.front() == '/')
      return std::nullopt;  // ":/text" is a search for a commit
    if (out.path.size() > 2 && out.path[1] == ':' && out.path[0] >= '0' && out.path[0] <= '3')
      return Revision{text.substr(0, 2), text.substr(3)};
    return out;
  }
  const bool drive = before.size() == 1 && is_letter(before[0]);
  const bool url = out.path.starts_with("//") ||
                   std::find(kSchemes.begin(), kSchemes.end(), lower(before)) != kSchemes.end();
  if (before.front() == '-' || drive || url) return std::nullopt;
  return out;
}

Source open_revision(const Revision& what, const std::string& name, const Limits& limits) {
  const std::string object = object_of(what, limits);
  // Links are followed by name; the index and a name with a newline have to do without.
  const bool by_name = !in_index(what) && spelled(what).find('\n') == std::string::npos;
  Batch batch((by_name ? spelled(what) : object) + "\n", by_name);
  const Batch::Header header = batch.header();
  if (header.type == "tree") return open_tree(what, object, name, limits);
  if (header.type != "blob")
    fail(ErrorCode::kNotFound, "a symbolic link to something that is not in this revision");
  io::Spool spool(limits.spooled_bytes);
  batch.content(header.size, spool);
  return Source::of_bytes(resolved(spool.finish(), what, limits), name);
}

std::string place_of(const Revision& what, const Limits& limits) {
  if (is_relative(what.path)) return what.path;
  try {
    const GitAnswer up = ask_git({"rev-parse", "--show-cdup"}, limits);
    return up.status == 0 ? up.out + what.path : what.path;
  } catch (const Error&) {
    return what.path;
  }
}

}  // namespace ckpt::operands
