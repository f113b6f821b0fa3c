"use strict";

// What the parameters in a URL are called, with values from a list that is there; empty if the API requires a key.
const example = {{ example|safe }};

// Fill in the example, and explain the field for the key.
const withExample = (schema) => {
  schema.components.securitySchemes.key.description = "Paste the key as it was printed, or `Api-Key` and the key.";
  for (const operation of Object.values(schema.paths).flatMap((path) => Object.values(path))) {
    for (const parameter of operation.parameters ?? []) {
      // Swagger UI tests patterns without the flag "u", and would refuse every id: \p{L} needs it. The API checks ids itself.
      delete parameter.schema.pattern;
      delete parameter.schema.items?.pattern;
      if (parameter.in === "path" && parameter.name in example) {
        const value = example[parameter.name];
        parameter.examples = { [value]: { value } };
      }
    }
    const body = operation.requestBody?.content["application/json"];
    if (body && "advertiser_id" in example) {
      body.example = { advertiser_ids: [example.advertiser_id], models: [example.model] };
    }
  }
  return schema;
};

const examples = () => ({
  statePlugins: { spec: { wrapActions: { updateJsonSpec: (update) => (schema) => update(withExample(schema)) } } },
});

// The API wants the scheme before the key; people paste the key alone.
const withScheme = (request) => {
  const key = request.headers?.Authorization?.trim();
  if (key && !/^api-key /i.test(key)) {
    request.headers.Authorization = `Api-Key ${key}`;
  }
  return request;
};

const dark = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followScheme);
followScheme();

SwaggerUIBundle({
  url: "{{ schema_url|escapejs }}",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [examples],
  layout: "BaseLayout",
  requestInterceptor: withScheme,
  ...{{ settings|safe }},
});
