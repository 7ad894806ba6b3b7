#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Rules that a compiler does not check, as functions of text. Each returns one line per violation.
namespace stormo::house {

using Complaints = std::vector<std::string>;

/// A folder of src/ (its path there) and the modules that it uses directly. It may also include
/// what these use.
struct Module {
  std::string name;
  std::vector<std::string> uses;
};

/// In the order of docs/architecture.md, lowest first.
[[nodiscard]] const std::vector<Module>& modules();

/// The module of a path below src/: "channel/client" for "channel/client/bus.h". Empty if there is
/// none.
[[nodiscard]] std::string moduleOf(std::string_view path);

/// True if `module` may include headers of `other`. False for unknown modules.
[[nodiscard]] bool mayInclude(std::string_view module, std::string_view other);

/// Reports folders of src/ that modules() does not contain, and modules without a folder.
[[nodiscard]] Complaints folderComplaints(const std::vector<std::string>& folders);

/// Reports USES of stormo_module() in a CMakeLists.txt that differ from modules().
[[nodiscard]] Complaints usesComplaints(std::string_view cmake);

/// The module of each public header, by its name in angle brackets: "stormo/worker.h" belongs to
/// worker.
using HeaderOwners = std::map<std::string, std::string, std::less<>>;

/// A public header belongs to the folder of the .cc with the same name; headers without one are in
/// a table. `headers` are names in angle brackets, `sources` paths from src/: "channel/client.cc".
[[nodiscard]] HeaderOwners headerOwners(const std::vector<std::string>& headers,
                                        const std::vector<std::string>& sources,
                                        Complaints& complaints);

/// Reports includes in a file of `module` that mayInclude() does not allow.
[[nodiscard]] Complaints layerComplaints(std::string_view module, std::string_view text,
                                         const HeaderOwners& owners);

/// Reports what src/server must not include: it is built on the public framework, as programs are,
/// and its quoted includes are only of protocol/ and its own folder.
[[nodiscard]] Complaints serverComplaints(std::string_view text);

/// Reports includes of a public header other than the standard library and public headers.
[[nodiscard]] Complaints publicHeaderComplaints(std::string_view text);

inline constexpr std::size_t kLinesMax = 400;
inline constexpr std::size_t kColumnsMax = 100;

/// Reports more than kLinesMax lines.
[[nodiscard]] Complaints lengthComplaints(std::string_view text);

/// Reports length, tabs, a missing newline at the end, unfinished work, and headers without #pragma
/// once.
[[nodiscard]] Complaints formComplaints(std::string_view path, std::string_view text);

/// Reports hash tables other than KeyedMap and KeyedSet of base/keyed_hash.h, and other hashes,
/// because peers choose the keys.
[[nodiscard]] Complaints hashComplaints(std::string_view text);

/// The packages that a CMake file requires with find_package or pkg_check_modules, except threads
/// and Stormo.
[[nodiscard]] std::vector<std::string> packagesFoundBy(std::string_view cmake);

/// The entries of the arrays in `dev` whose names end in _packages, without the part after a colon.
[[nodiscard]] std::vector<std::string> packagesInstalledBy(std::string_view script);

/// Reports names that are not in the table of docs/dependencies.md.
[[nodiscard]] Complaints undocumented(const std::vector<std::string>& names, std::string_view doc);

}  // namespace stormo::house
