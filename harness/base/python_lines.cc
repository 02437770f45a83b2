// A line is taken apart into atoms, which are laid out again over several lines.
#include "harness/base/python_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

namespace storefuzz {
namespace {

bool within_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// A piece of a line that Python allows no line break in, and what parts it from the next one.
struct Atom {
  std::string text;
  enum class After { kNothing, kBracket, kComma, kSpace } after = After::kNothing;
  std::size_t literal = std::string::npos;  // where a literal begins that may become several
};

// Where the literal that begins at `at` ends: behind its closing quote.
std::size_t end_of_literal(std::string_view code, std::size_t at) {
  const bool triple = code.substr(at, 3) == "\"\"\"" || code.substr(at, 3) == "'''";
  const std::string_view quote = code.substr(at, triple ? 3 : 1);
  for (std::size_t i = at + quote.size(); i < code.size(); ++i) {
    if (code[i] == '\\')
      ++i;
    else if (code.substr(i).starts_with(quote))
      return i + quote.size();
  }
  return code.size();
}

// One line as atoms. A comment at its end is left in `comment`.
std::vector<Atom> atoms_of(std::string_view line, std::string& comment) {
  std::vector<Atom> atoms(1);
  const auto end_atom = [&](Atom::After after) {
    atoms.back().after = after;
    atoms.emplace_back();
  };
  int depth = 0;
  for (std::size_t i = 0; i < line.size();) {
    const char c = line[i];
    Atom& atom = atoms.back();
    if (c == '"' || c == '\'') {
      const std::size_t end = end_of_literal(line, i);
      const bool bytes = i > 0 && line[i - 1] == 'b' && (i < 2 || !within_name(line[i - 2]));
      const bool plain = i == 0 || !within_name(line[i - 1]);
      if (depth > 0 && c == '"' && end - i > 2 && line[i + 1] != '"' && (bytes || plain))
        atom.literal = atom.text.size() - bytes;
      atom.text += line.substr(i, end - i);
      i = end;
      continue;
    }
    if (c == '#') {
      comment = line.substr(i);
      while (!atom.text.empty() && atom.text.back() == ' ') atom.text.pop_back();
      break;
    }
    ++i;
    if (c == ' ' && depth > 0) {
      if (!atom.text.empty())
        end_atom(atom.text.back() == ',' ? Atom::After::kComma : Atom::After::kSpace);
      continue;
    }
    atom.text += c;
    depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
    if (c == '(' || c == '[' || c == '{') end_atom(Atom::After::kBracket);
  }
  return atoms;
}

// Lays the atoms of one line out over several.
class Layout {
 public:
  Layout(std::string_view indent, std::size_t width)
      : line_(indent), next_(std::string(indent) + "    "), width_(width) {}

  std::string lay_out(const std::vector<Atom>& atoms) {
    // What stands between two commas or brackets is kept together where that is possible.
    for (std::size_t begin = 0; begin < atoms.size();) {
      std::size_t end = begin + 1;
      std::size_t size = atoms[begin].text.size();
      for (; end < atoms.size() && atoms[end - 1].after == Atom::After::kSpace; ++end)
        size += 1 + atoms[end].text.size();
      const bool whole = next_.size() + size <= width_;
      if (whole && line_.size() + glue_.size() + size > width_) break_line();
      for (; begin < end; ++begin) place(atoms[begin]);
    }
    return text_ + line_;
  }

 private:
  void break_line() {
    if (line_.find_first_not_of(' ') == line_.npos) return;  // nothing stands on the line yet
    text_ += line_ + "\n";
    line_ = next_;
    glue_.clear();
  }

  void place(const Atom& atom) {
    if (line_.size() + glue_.size() + atom.text.size() > width_) {
      if (next_.size() + atom.text.size() <= width_ || atom.literal == std::string::npos)
        break_line();
      else
        return place_in_parts(atom);
    }
    put(atom.text, atom.after);
  }

  void put(std::string_view text, Atom::After after) {
    line_ += glue_;
    line_ += text;
    const bool parted = after == Atom::After::kComma || after == Atom::After::kSpace;
    glue_ = parted ? " " : "";
  }

  // Its long literal as several: no escape is torn.
  void place_in_parts(const Atom& atom) {
    constexpr std::size_t kLeastRoom = 24;
    if (line_.size() + glue_.size() + atom.literal + kLeastRoom > width_) break_line();
    std::string_view rest = atom.text;
    const std::size_t quote = rest.find('"', atom.literal);
    const std::string opening(rest.substr(atom.literal, quote + 1 - atom.literal));
    const std::size_t last = end_of_literal(rest, quote) - 1;  // the closing quote
    put(rest.substr(0, quote + 1), Atom::After::kNothing);
    for (std::size_t at = quote + 1; at < last;) {
      const std::size_t size = size_of_character(rest.substr(at));
      if (line_.size() + size + 1 > width_) {
        line_ += '"';
        break_line();
        line_ += opening;
      }
      line_ += rest.substr(at, size);
      at += size;
    }
    if (line_.size() + atom.text.size() - last > width_) {
      line_ += '"';
      break_line();
      line_ += opening;
    }
    put(rest.substr(last), atom.after);
  }

  // A character as it stands in a literal: `\n`, `\xff`, `\u1234`, or itself.
  static std::size_t size_of_character(std::string_view text) {
    if (text[0] != '\\' || text.size() < 2) return 1;
    const std::size_t size = text[1] == 'x' ? 4 : text[1] == 'u' ? 6 : text[1] == 'U' ? 10 : 2;
    return std::min(size, text.size());
  }

  std::string text_, line_, next_, glue_;
  std::size_t width_;
};

// A comment as several, broken between words.
std::string wrapped_comment(const std::string& indent, std::string_view comment,
                            std::size_t width) {
  std::string text;
  std::string line = indent + "#";
  comment.remove_prefix(1);
  while (!comment.empty()) {
    const std::size_t end = std::min(comment.find(' '), comment.size());
    const std::string_view word = comment.substr(0, end);
    comment.remove_prefix(std::min(end + 1, comment.size()));
    if (word.empty()) continue;
    if (line.size() + 1 + word.size() > width && line.size() > indent.size() + 1) {
      text += line + "\n";
      line = indent + "#";
    }
    line += fmt::format(" {}", word);
  }
  return text + line;
}

std::string wrapped_line(std::string_view line, std::size_t width) {
  const std::size_t start = std::min(line.find_first_not_of(' '), line.size());
  const std::string indent(line.substr(0, start));
  std::string comment;
  const std::vector<Atom> atoms = atoms_of(line.substr(start), comment);
  if (comment.size() + start == line.size()) return wrapped_comment(indent, comment, width);
  const std::string before = comment.empty() ? "" : wrapped_comment(indent, comment, width) + "\n";
  return before + Layout(indent, width).lay_out(atoms);
}

// Whether another statement may stand beside it: a block's head may not, and what follows a comment
// belongs to the comment.
bool simple(std::string_view line) {
  static constexpr std::string_view kHeads[] = {"async ", "class ", "def ",    "elif ",
                                                "else:",  "except", "finally", "for ",
                                                "if ",    "try:",   "while ",  "with "};
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  std::string comment;
  atoms_of(line, comment);
  return !line.empty() && comment.empty() &&
         std::ranges::none_of(kHeads,
                              [&](std::string_view head) { return line.starts_with(head); });
}

}  // namespace

std::string joined(std::string_view code, std::size_t width) {
  std::string text;
  std::string_view before;  // the simple line that stands last, with what was joined to it
  while (!code.empty()) {
    const std::string_view line = code.substr(0, std::min(code.find('\n'), code.size()));
    code.remove_prefix(std::min(line.size() + 1, code.size()));
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    const std::size_t last = text.empty() ? 0 : text.rfind('\n', text.size() - 2) + 1;
    const bool beside = !before.empty() && simple(line) &&
                        before.find_first_not_of(' ') == indent &&
                        text.size() - 1 - last + 2 + line.size() - indent <= width;
    if (beside)
      text.replace(text.size() - 1, 1, "; " + std::string(line.substr(indent)) + "\n");
    else
      text += std::string(line) + "\n";
    before = simple(line) ? line : std::string_view();
  }
  return text;
}

std::string with_short_blocks(std::string_view code, std::size_t width) {
  std::vector<std::string_view> lines;
  while (!code.empty()) {
    lines.push_back(code.substr(0, std::min(code.find('\n'), code.size())));
    code.remove_prefix(std::min(lines.back().size() + 1, code.size()));
  }
  // Of a line without statement: npos.
  const auto indent = [&](std::size_t i) {
    return i < lines.size() ? lines[i].find_first_not_of(' ') : std::string_view::npos;
  };
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += lines[i];
    const std::size_t body = indent(i + 1), after = indent(i + 2);
    const bool one = lines[i].ends_with(':') && body != std::string_view::npos &&
                     body > indent(i) && simple(lines[i + 1]) &&
                     (after == std::string_view::npos || after < body);
    if (one && lines[i].size() + 1 + lines[i + 1].size() - body <= width)
      text += fmt::format(" {}", lines[++i].substr(body));
    text += '\n';
  }
  return text;
}

std::string wrapped(std::string_view code, std::size_t width) {
  std::string text;
  while (!code.empty()) {
    const std::size_t end = std::min(code.find('\n'), code.size());
    const std::string_view line = code.substr(0, end);
    text += line.size() <= width ? std::string(line) : wrapped_line(line, width);
    if (end < code.size()) text += '\n';
    code.remove_prefix(std::min(end + 1, code.size()));
  }
  return text;
}

}  // namespace storefuzz
