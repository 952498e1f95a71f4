import * as z from "zod";
import { limits } from "../../model/limits.ts";
import type { ProjectRecipe } from "../../model/recipe.ts";
import { described, named, pageOf } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { respondPage } from "../respond.ts";

const recipeSchema = named(
  "Recipe",
  "Mends many events the same way.",
  z.object({
    name: z.string(),
    kind: described("Declarative steps, or a function of the config.", z.enum(["recipe", "function"])),
    description: described("null for a function.", z.string().nullable()),
    steps: described("null for a function.", z.array(z.unknown()).nullable()),
  }),
);

const example = {
  name: "numbers-from-texts",
  kind: "recipe" as const,
  description: "Some tills send totals as texts.",
  steps: [{ do: "cast", path: "/total", to: "number" }],
};

const listRecipes = endpoint(
  {
    method: "GET",
    path: "/v1/recipes",
    operationId: "listRecipes",
    summary: "List recipes",
    description: "All recipes of the config that a replay can take by name; always one page.",
    tag: "jobs",
    responses: {
      200: {
        description: "The recipes.",
        content: {
          "application/json": {
            schema: pageOf("RecipePage", "Recipes, one page.", recipeSchema),
            example: { data: [example], page: { next: null, limit: limits.pageRowsMax } },
          },
        },
      },
    },
  },
  (call) => {
    const recipes = [...call.services.project().recipes].sort(([left], [right]) => (left < right ? -1 : 1));
    const rows = recipes.map(([name, recipe]) => JSON.stringify(recipeView(name, recipe)));
    return respondPage(call, call.request, rows, { next: null, limit: limits.pageRowsMax });
  },
);

function recipeView(name: string, recipe: ProjectRecipe): z.input<typeof recipeSchema> {
  if (recipe.kind === "function") return { name, kind: recipe.kind, description: null, steps: null };
  const { description, steps } = recipe.recipe;
  return { name, kind: recipe.kind, description, steps: [...steps] };
}

export const recipesRoutes: readonly Endpoint[] = [listRecipes];
