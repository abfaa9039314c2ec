# Writes OUTPUT, C++ that defines ckpt::report::schemas(), from the files of FOLDER: NAME.json is the schema of NAME.
file(GLOB files ${FOLDER}/*.json)
set(entries "")
foreach(file ${files})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND entries "    {\"${name}\", R\"schema(${text})schema\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"report/schema.h\"\n\nstd::span<const ckpt::report::Schema> ckpt::report::schemas() {
  static constexpr Schema kAll[] = {\n${entries}  };\n  return kAll;\n}\n")
