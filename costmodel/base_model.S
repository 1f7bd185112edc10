// The bytes of base/cpu.model, between two symbols.
        .section .rodata
        .balign 16
        .global whet_base_model
        .global whet_base_model_end
whet_base_model:
        .incbin WHET_BASE_MODEL
whet_base_model_end:
        .section .note.GNU-stack, "", %progbits
