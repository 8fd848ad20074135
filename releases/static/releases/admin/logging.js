/* What the release form does with scripts besides what it does without: the keyboard reaches the lists that are drawn
   in place of the real ones, and the choice of a detention does not outlive the person it belongs to. */
'use strict';
{
    const box = (select) => select?.parentElement.querySelector('.select2-selection');

    function ready() {
        const form = document.getElementById('release_form');
        if (!form) {
            return;
        }

        /* A list drawn in place of the real one takes its focus and its access key. */
        for (const select of form.querySelectorAll('select.admin-autocomplete')) {
            const drawn = box(select);
            if (drawn && select.accessKey) {
                drawn.accessKey = select.accessKey;
                select.removeAttribute('accesskey');
            }
        }
        const preview = document.getElementById('preview');
        const error = form.querySelector('.errorlist');
        const first = form.querySelector('select.admin-autocomplete[autofocus]');
        if (preview && !error) {
            preview.focus();
        } else if (first && !error) {
            box(first)?.focus();
        }

        /* Typing in a list opens its search with what was typed. */
        form.addEventListener('keydown', (event) => {
            const drawn = event.target.closest('.select2-selection');
            if (!drawn || event.key.length !== 1 || event.key === ' ' || event.ctrlKey || event.altKey || event.metaKey) {
                return;
            }
            const select = drawn.closest('.select2-container')?.parentElement.querySelector('select.admin-autocomplete');
            if (!select) {
                return;
            }
            event.preventDefault();
            window.django.jQuery(select).select2('open');
            const search = document.querySelector('.select2-container--open .select2-search__field');
            if (search) {
                search.value = event.key;
                search.dispatchEvent(new Event('input', {bubbles: true}));
            }
        });

        /* Another person has other detentions: back to the choice that fits everybody. */
        const person = form.querySelector('select[name="person"]');
        const shown = person?.value;
        if (person) {
            window.django.jQuery(person).on('change', () => {
                const another = person.value !== shown;
                const anybody = form.querySelector('input[name="ends"][value="auto"]');
                for (const choice of form.querySelectorAll('input[name="ends"]')) {
                    if (choice.value.includes(':')) {
                        choice.disabled = another;
                        choice.closest('div').hidden = another;
                        if (another && choice.checked && anybody) {
                            anybody.checked = true;
                        }
                    }
                }
            });
        }
    }

    /* A step of the way out that is added can be ticked at once. */
    const ticks = () => [...document.querySelectorAll('.parts-releasecitation .field-about')];

    function offer(list, number) {
        const steps = [...list.querySelectorAll('input[value^="leg:#"]')];
        const last = steps[steps.length - 1];
        if (!last || steps.some((step) => step.value === `leg:#${number}`)) {
            return;
        }
        const tick = last.closest('div').cloneNode(true);
        const input = tick.querySelector('input');
        const label = tick.querySelector('label');
        input.checked = false;
        input.value = `leg:#${number}`;
        input.id = `${last.id}-${number}`;
        label.htmlFor = input.id;
        label.lastChild.textContent = label.lastChild.textContent.replace(/\d+\s*$/, number + 1);
        last.closest('div').after(tick);
    }

    document.addEventListener('formset:added', (event) => {
        if (event.detail.formsetName === 'legs') {
            ticks().forEach((list) => offer(list, Number(event.target.id.replace(/^.*-/, ''))));
        }
    });

    document.addEventListener('formset:removed', (event) => {
        if (event.detail.formsetName === 'legs') {
            const left = document.querySelectorAll('#legs-group .inline-related:not(.empty-form)').length;
            for (const step of document.querySelectorAll('.field-about input[value^="leg:#"]')) {
                if (Number(step.value.slice(5)) >= left) {
                    step.closest('div').remove();
                }
            }
        }
    });

    /* The lists are drawn by handlers that jQuery calls after the page is ready, in order: this one comes last. */
    window.addEventListener('load', () => window.django?.jQuery(ready));
}
