/* The C interface to a compiled network: create, ask for inputs and outputs, run, destroy.
 *
 * A bundle directory holds manifest.json, weights.bin and the compiled kernels;
 * docs/formats/bundle.md. Functions return 0 or a valid pointer on success; otherwise
 * whet_last_error() has one sentence, kept for the calling thread until its next call. A model runs
 * one call at a time; different models may run at once.
 */
#ifndef WHET_H
#define WHET_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define WHET_API __attribute__((visibility("default")))
#else
#define WHET_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct whet_model whet_model;

enum { WHET_MAX_RANK = 16 };

/* An input or output. Row-major, outermost dimension first. */
typedef struct whet_tensor_info {
  const char* name;  /* owned by the model */
  const char* dtype; /* "f32", "i64", ... */
  int32_t rank;
  int64_t shape[WHET_MAX_RANK];
  size_t bytes;
} whet_tensor_info;

/* Loads a bundle. Kernels that the program registered under the bundle's id are used (NAME_create
 * of the bundle's NAME.h registers those of the static library and calls this); otherwise the
 * bundle's shared object is opened. NULL on failure. */
WHET_API whet_model* whet_create(const char* bundle_directory);

/* 0 threads, as at the start: as many as the loaded bundles were compiled for, but no more than
 * there are CPUs. The pool is shared by all models of the process. */
WHET_API int whet_set_threads(int threads);

WHET_API int32_t whet_input_count(const whet_model* model);
WHET_API int32_t whet_output_count(const whet_model* model);
WHET_API int whet_input_info(const whet_model* model, int32_t index, whet_tensor_info* info);
WHET_API int whet_output_info(const whet_model* model, int32_t index, whet_tensor_info* info);

/* One pointer for each input and output, each of info.bytes bytes, aligned to 64 bytes for the best
 * speed. */
WHET_API int whet_run(whet_model* model, const void* const* inputs, void* const* outputs);

WHET_API void whet_destroy(whet_model* model); /* NULL is fine */

WHET_API const char* whet_last_error(void); /* "" if nothing failed on this thread */

/* What a bundle's generated code calls: names the kernels that are linked in. */
typedef int (*whet_kernel_function)(void** args);
typedef struct whet_kernel_entry {
  const char* symbol;
  whet_kernel_function function;
} whet_kernel_entry;
WHET_API void whet_register_kernels(const char* bundle_id, const whet_kernel_entry* entries,
                                    int32_t count);

#ifdef __cplusplus
}
#endif
#endif
