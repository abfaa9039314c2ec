# Writes OUT: a .cpp that holds every rule file (CATALOG) and every rule set (SETS) as a raw string.
function(embed result function_name files)
  list(SORT files COMPARE FILE_BASENAME)
  set(text "constexpr BuiltinFile k_${function_name}[] = {\n")
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} body)
    string(APPEND text "{\"${name}\", R\"yaml(${body})yaml\"},\n")
  endforeach()
  string(APPEND text "};\n")
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

embed(catalog builtin_catalog "${CATALOG}")
embed(sets builtin_rule_sets "${SETS}")
file(WRITE ${OUT} "// Generated from rules/ by rules/embed.cmake.
#include \"lint/rule_set.h\"
namespace ckpt::lint {
namespace {
${catalog}${sets}}  // namespace
std::span<const BuiltinFile> builtin_catalog() { return k_builtin_catalog; }
std::span<const BuiltinFile> builtin_rule_sets() { return k_builtin_rule_sets; }
}  // namespace ckpt::lint
")
