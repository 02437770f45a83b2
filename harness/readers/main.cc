// storefuzz-reader NAME: one reader of zip files as a persistent process, asked in frames of JSON.
//
// Requests come on standard input, replies go to descriptor 3; the end of the input is the end,
// exit code 0. {"hello": true} is answered with who reads; {"file": …, "keys": […]} with what it
// saw. A request that is neither is refused "BadRequest". Nothing of a request is kept for the
// next.
#include <fmt/format.h>

#include <cstdio>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/process/process.h"
#include "harness/readers/libarchive_reader.h"
#include "harness/readers/libzip_reader.h"
#include "harness/readers/names.h"

namespace {

using namespace storefuzz;

constexpr int kReplyDescriptor = 3;

struct ReaderKind {
  std::string_view name;
  std::string (*version)();
  Json (*read)(const std::string&, const std::vector<std::string>&, bool);
  bool option;  // checked, or seeking
};

constexpr ReaderKind kReaders[] = {
    {"libzip", libzip_version, read_with_libzip, false},
    {"libzip-checked", libzip_version, read_with_libzip, true},
    {"libarchive", libarchive_version, read_with_libarchive, false},
    {"libarchive-seeking", libarchive_version, read_with_libarchive, true},
};

const ReaderKind* reader_named(std::string_view name) {
  for (const ReaderKind& reader : kReaders)
    if (reader.name == name) return &reader;
  return nullptr;
}

// A list of texts under `name`; without one, an empty list; nothing, if it is something else.
std::optional<std::vector<std::string>> texts(const Json& request, const char* name) {
  std::vector<std::string> list;
  const auto found = request.find(name);
  if (found == request.end()) return list;
  if (!found->is_array()) return std::nullopt;
  for (const Json& text : *found) {
    if (!text.is_string()) return std::nullopt;
    list.push_back(text.get<std::string>());
  }
  return list;
}

Json answer(const ReaderKind& reader, const std::string& text) {
  const Json request = Json::parse(text, nullptr, false);
  if (request.is_object() && request.contains("hello"))
    return {{"reader", reader.name}, {"version", reader.version()}, {"views", {"keys"}}};
  const bool names_file =
      request.is_object() && request.contains("file") && request["file"].is_string();
  const auto keys = names_file ? texts(request, "keys") : std::nullopt;
  if (!keys)
    return reply_when_refused({.type = "BadRequest", .text = "The request is not understood."}, "");
  return reader.read(request["file"].get<std::string>(), *keys, reader.option);
}

// As frames carry it; answers whatever the memory is.
std::string reply_to(const ReaderKind& reader, const std::string& request) {
  try {
    return text_of(answer(reader, request));
  } catch (const std::bad_alloc&) {
    return reply_when_refused({.type = "OutOfMemory", .text = "no memory"}, "").dump();
  }
}

}  // namespace

int main(int count, char** arguments) {
  const ReaderKind* reader = count == 2 ? reader_named(arguments[1]) : nullptr;
  if (reader == nullptr) {
    fmt::print(stderr,
               "storefuzz-reader takes one name: libzip, libzip-checked, libarchive or "
               "libarchive-seeking.\n");
    return static_cast<int>(ExitCode::kBadInput);
  }
  for (std::string request; read_frame(0, request);)
    if (!write_frame(kReplyDescriptor, reply_to(*reader, request))) break;
  return 0;
}
