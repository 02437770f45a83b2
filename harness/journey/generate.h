// Bytes → case: total (every byte string is some case), bounded, and swarmed (each case leaves
// whole features out, so that the features left in meet each other more often).
//
//     Case first = generate_case({});           // no bytes: the plainest case
//     Case other = generate_case(random_bytes); // the same bytes, the same case
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "harness/case/case.h"
#include "harness/case/choices.h"

namespace storefuzz {

// A zarr v3 array of four bytes in two chunks, written by hand so that making it needs no zarr.
inline constexpr std::string_view kArrayMetadata =
    R"({"zarr_format":3,"node_type":"array","shape":[4],"data_type":"uint8",)"
    R"("chunk_grid":{"name":"regular","configuration":{"chunk_shape":[2]}},)"
    R"("chunk_key_encoding":{"name":"default","configuration":{"separator":"/"}},)"
    R"("fill_value":0,"codecs":[{"name":"bytes"}],"attributes":{}})";
inline constexpr std::string_view kGroupMetadata =
    R"({"zarr_format":3,"node_type":"group","attributes":{}})";

// "pickle 5,copy" → carriers, "" → none; bad_input names the word that is none.
Result<std::vector<Carrier>> parse_carriers(std::string_view list);

Case generate_case(std::span<const std::byte> bytes, const Stores& stores = {StoreKind()});

// Parts of a case, drawn alone: the mutator replaces a part by one of these.
Archive generate_archive(Choices& choices);
Twist generate_twist(Choices& choices);  // a heavy one now and then
Constructor generate_constructor(Choices& choices);
Operation generate_operation(Choices& choices);
Entry generate_entry(Choices& choices);
std::vector<LookGroup> generate_looks(Choices& choices);
void generate_journey(Case& value, Choices& choices);  // carrier, transport and all around them

}  // namespace storefuzz
