// Keys: which are plain, which lie below a folder, and which zarr itself writes.
//
// A folder is named with or without a slash at its end; "" is the root.
//
//     lies_below("a/b/c", "a/b")  // true
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace storefuzz {

// A key every store treats alike: names between single slashes, none of them a dot name.
bool plain_key(std::string_view key);

// Whether a key can lie in an archive that holds `others`: libzip takes none that is empty or has a
// NUL. `files`: in a folder, which takes no key that is not plain, or that runs through a file.
bool can_lie_with(const std::set<std::string>& others, const std::string& key, bool files);

// Whether zarr calls the documents of its nodes so.
bool is_document(std::string_view key);

// At any depth; below the root lies every key.
bool lies_below(std::string_view key, std::string_view folder);

// A folder's name without the slash at its end.
std::string_view without_slash(std::string_view folder);

// What begins the keys below a folder: "a/" of "a", and of the root "".
std::string prefix_of_folder(std::string_view folder);

// "a/b" of "a" and "b"; where one of the two is empty, the other one.
std::string joined(std::string_view folder, std::string_view key);

}  // namespace storefuzz
