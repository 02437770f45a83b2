// How the store of a case is made, as Python text: what side.py runs and a script quotes.
//
//     constructor_text(value)  // zarr.storage.ZipStore("store.zip", mode="r")
#pragma once

#include <string>

#include "harness/case/case.h"

namespace storefuzz {

// The expression that makes the store, in the case's folder.
std::string constructor_text(const Case& value);

// Where its content lies, as a literal: "store.zip" or "store".
std::string place_text(const Case& value);

// What side.py is told of the store: {"make", "imports", "clean", "interface", "waits"}.
Json store_request(const Case& value);

}  // namespace storefuzz
