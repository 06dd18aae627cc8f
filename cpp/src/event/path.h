// Path text -> the keys to follow.
//
// Meaning: Segment's path syntax as docs/mapping.md describes it. One addition: dots between the
// quotes of a bracket belong to the key, so $.properties['a.b'] reaches the key "a.b".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fieldpost {

using Path = std::vector<std::string>;

// Of a directive: the first "$." is taken away before. An empty result is the whole event.
Path parse_directive_path(std::string_view text);

// Of a placeholder in a template: nothing is taken away.
Path parse_path(std::string_view text);

// The other way round, without the "$": ".a['b.c']".
std::string path_text(const Path& path);

}  // namespace fieldpost
