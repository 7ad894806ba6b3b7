#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The rules of the house that a compiler does not check, as functions of text: each gives its
/// complaints, one line per offence, and none if all is well.
namespace stormo::house {

using Complaints = std::vector<std::string>;

/// A folder of src/, by its path there, and the modules that it uses directly. It may include what
/// these use, too.
struct Module {
  std::string name;
  std::vector<std::string> uses;
};

/// From the ground up (docs/architecture.md).
[[nodiscard]] const std::vector<Module>& modules();

/// The module that a path from src/ is in: "channel/client" for "channel/client/bus.h". Empty if it
/// is in none.
[[nodiscard]] std::string moduleOf(std::string_view path);

/// True if `module` may include headers of `other`. Unknown ones may nothing.
[[nodiscard]] bool mayInclude(std::string_view module, std::string_view other);

/// Folders of src/ that modules() does not know, and modules that have no folder.
[[nodiscard]] Complaints folderComplaints(const std::vector<std::string>& folders);

/// The USES of stormo_module() in a CMakeLists.txt: they are what modules() says.
[[nodiscard]] Complaints usesComplaints(std::string_view cmake);

/// The module of each public header, by its name in angle brackets: "stormo/worker.h" is worker's.
using HeaderOwners = std::map<std::string, std::string, std::less<>>;

/// Headers belong where their same-named .cc is; the ones without have their place in a table here.
/// `headers` are names in angle brackets, `sources` paths from src/: "channel/client.cc".
[[nodiscard]] HeaderOwners headerOwners(const std::vector<std::string>& headers,
                                        const std::vector<std::string>& sources,
                                        Complaints& complaints);

/// The project's own includes in a file of `module` go down the house, or stay on its floor.
[[nodiscard]] Complaints layerComplaints(std::string_view module, std::string_view text,
                                         const HeaderOwners& owners);

/// src/server is built on the public framework, as programs are: in quotes it includes nothing but
/// protocol/ and itself.
[[nodiscard]] Complaints serverComplaints(std::string_view text);

/// A public header includes the standard library and public headers, nothing else.
[[nodiscard]] Complaints publicHeaderComplaints(std::string_view text);

inline constexpr std::size_t kLinesMax = 400;
inline constexpr std::size_t kColumnsMax = 100;

/// Length, tabs, the last line's end, words that promise to do it later; of a header, the once.
[[nodiscard]] Complaints formComplaints(std::string_view path, std::string_view text);

/// Hash tables are KeyedMap and KeyedSet of base/keyed_hash.h, and no other hash is used: peers
/// choose the keys.
[[nodiscard]] Complaints hashComplaints(std::string_view text);

/// What a CMake file looks for with find_package or pkg_check_modules, but for threads and Stormo.
[[nodiscard]] std::vector<std::string> packagesFoundBy(std::string_view cmake);

/// The entries of the arrays in `dev` whose names end in _packages, without what is behind a colon.
[[nodiscard]] std::vector<std::string> packagesInstalledBy(std::string_view script);

/// Names that docs/dependencies.md has in no row of its table.
[[nodiscard]] Complaints undocumented(const std::vector<std::string>& names, std::string_view doc);

}  // namespace stormo::house
